package forward

import (
	"net"
	"sync"
	"time"
)

// A Tunnel is a connection that the API agreed to use for another protocol. Who
// has it closes it; it counts as open until then.
type Tunnel struct {
	net.Conn
	f      *Forwarder
	c      *conn
	prefix []byte // what came right behind the 101
	once   sync.Once
}

// Hijack hands over the connection behind a 101, without deadlines. Abort no
// longer reaches it, and closing the response does not touch it. It returns nil
// where the response was no 101, and the second time.
func (a *Response) Hijack() *Tunnel {
	c := a.conn
	if c == nil || a.Status != 101 {
		return nil
	}
	a.conn = nil
	t := &Tunnel{Conn: c.net, f: a.f, c: c}
	if !a.call.detach(c) {
		return t // aborted: dead already
	}
	t.prefix = append(t.prefix, c.reader.Buffered()...)
	c.reader.Reset(nil)
	_ = c.net.SetDeadline(time.Time{})
	return t
}

// Read implements [net.Conn].
func (t *Tunnel) Read(p []byte) (int, error) {
	if len(t.prefix) > 0 {
		n := copy(p, t.prefix)
		t.prefix = t.prefix[n:]
		return n, nil
	}
	return t.Conn.Read(p)
}

// Prefix takes the bytes that came right behind the 101, if any. After it the
// embedded Conn may be read itself, so that the kernel can copy between sockets.
func (t *Tunnel) Prefix() []byte {
	p := t.prefix
	t.prefix = nil
	return p
}

// Close implements [net.Conn]; it may be called more than once.
func (t *Tunnel) Close() error {
	t.once.Do(func() { t.f.pool.drop(t.c) })
	return nil
}
