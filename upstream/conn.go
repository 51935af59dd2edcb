package upstream

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"coatcheck/bff/http1"
)

// conn is one connection to the API, or the place of one that is being opened. It
// belongs to the pool or to one call; only kill may be called by others.
type conn struct {
	net    net.Conn // what is read and written: TCP, or TLS above it
	reader http1.Reader
	reused bool
	since  time.Time // when it was put into the pool

	rolled    time.Time     // when the deadline for reading was set last
	rolledFor time.Duration // and how far, without its eighth

	raw    syscall.RawConn // the socket below TLS
	look   func(fd uintptr)
	silent bool // what look saw: nothing waits there
	byte1  [1]byte

	mu     sync.Mutex // guards what follows
	cancel context.CancelFunc
	socket net.Conn // below TLS
	killed bool
}

// newConn makes the place of a connection that must be open within timeout.
func newConn(timeout time.Duration) (*conn, context.Context) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	return &conn{cancel: cancel}, ctx
}

// opened gives back what only opening needs.
func (c *conn) opened() {
	c.mu.Lock()
	cancel := c.cancel
	c.cancel = nil
	c.mu.Unlock()
	cancel()
}

// kill ends the connection, also while it is being opened. It closes the socket
// below TLS: a close_notify could have to wait.
func (c *conn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	if c.cancel != nil {
		c.cancel()
	}
	if c.socket != nil {
		_ = c.socket.Close()
	}
}

// own makes socket what kill closes; false: it was killed before.
func (c *conn) own(socket net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket = socket
	return !c.killed
}

// deadline sets the one deadline of a small call.
func (c *conn) deadline(t time.Time) error {
	c.rolledFor = 0
	return c.net.SetDeadline(t)
}

// roll gives the next read d at least, and at most an eighth more: so the deadline
// is set eight times in d and not for every read.
func (c *conn) roll(d time.Duration) error {
	now := time.Now()
	if c.rolledFor == d && now.Sub(c.rolled) < d/8 {
		return nil
	}
	c.rolled, c.rolledFor = now, d
	return c.net.SetReadDeadline(now.Add(d + d/8))
}

// stale reports whether something other than silence waits on an idle connection:
// its end, or bytes that nobody asked for.
func (c *conn) stale() bool {
	if c.reader.Len() > 0 {
		return true
	}
	if c.net != c.socket && !c.quietTLS() {
		return true
	}
	return !c.quiet()
}

// quietTLS looks at what TLS has read from the socket and not yet delivered. The
// deadline has passed, so that nothing more is read.
func (c *conn) quietTLS() bool {
	if c.net.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	_, err := c.net.Read(c.byte1[:])
	return isTimeout(err)
}
