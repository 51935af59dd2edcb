package gate

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/relay"
	"coatcheck/bff/socket"
)

// After an answer that left part of the request unread, the gate reads on for so
// long and so much before it closes.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// goodbyeTime is how long close_notify may take. crypto/tls would wait 5 s for a peer
// that does not read, and the end of the process with it.
const goodbyeTime = 250 * time.Millisecond

// slack is how much earlier than asked a deadline may fire: a deadline that is
// moved by less stays where it is, because moving it costs a timer operation.
const slack = time.Second

// Conn is one connection of a browser. Its requests are read by the gate; Read is for what
// speaks another protocol behind one of them ([Conn.Tunnel]).
type Conn struct {
	net.Conn
	peer   netip.AddrPort
	socket syscall.RawConn // of a plain connection; nil: TLS

	in      http1.Reader
	request *Request

	readBy, writeBy time.Time
	tunnel          bool // the connection speaks another protocol now
	linger          atomic.Bool
	hurry           atomic.Pointer[time.Time] // the end of the last answer; nil: not set
	work            work
	idle            idle
	listener        *Listener
	number          uint64 // in the listener's watcher
	closed          atomic.Bool
	onClose         atomic.Pointer[func()]
}

// sameMachine is the address of whoever calls over a Unix socket, which has none: one that
// trusted_proxies can name.
var sameMachine = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func newConn(c net.Conn, l *Listener) *Conn {
	c = socket.Wrap(c)
	conn := &Conn{Conn: c, listener: l, socket: relay.Socket(c)}
	switch a := c.RemoteAddr().(type) {
	case *net.TCPAddr:
		peer := a.AddrPort()
		conn.peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	case *net.UnixAddr:
		conn.peer = netip.AddrPortFrom(sameMachine, 0)
	}
	conn.in.Reset(c)
	return conn
}

// options are the listener's bounds as they are now: a change counts from the next
// read or write that they bound.
func (c *Conn) options() *Options { return c.listener.options.Load() }

// Peer is the address at the other end; IPv4 also where it came mapped into IPv6.
func (c *Conn) Peer() netip.AddrPort { return c.peer }

// NetConn returns the connection below, to hand it over or to watch it.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// contain is deferred. It turns a panic into an error: a panic that nobody recovers ends
// the process.
func (c *Conn) contain(err *error) {
	if recover() == nil {
		return
	}
	*err = errFault
	if c.options().Faulted != nil {
		c.options().Faulted(debug.Stack())
	}
}

// Read implements [net.Conn]: what comes behind a request that began a tunnel.
func (c *Conn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Tunnel makes Read and Write plain from now on, without deadlines of the gate's: the
// connection speaks another protocol.
func (c *Conn) Tunnel() {
	c.tunnel = true
	c.linger.Store(true) // or a last close frame might not arrive
	_ = c.Conn.SetDeadline(time.Time{})
}

// next waits for a request and reads its head.
func (c *Conn) next() error {
	if err := c.await(); err != nil {
		return err
	}
	if c.request == nil {
		c.request = acquireRequest(c)
	}
	err := c.request.head.ReadRequest(&c.in, c.options().Header)
	if err == nil {
		err = c.request.admit()
	}
	if err != nil {
		return c.refuse(err)
	}
	c.in.Release() // a call may take long, and needs no page for it
	return nil
}

// await returns once a first byte is there. The wait is an idle connection's: it
// holds no request, and no buffer.
func (c *Conn) await() error {
	if c.in.Len() == 0 {
		c.release()
		if err := c.readDeadline(c.options().KeepAlive); err != nil {
			return err
		}
		c.idle.begin()
		if c.listener.ending.Load() {
			return io.EOF
		}
		runtime.Gosched() // as after a request to the API: the next one is not there yet
		if err := c.in.Fill(c.options().Header); err != nil {
			answerPlain(c, err)
			return io.EOF // gone, or idle for too long: nobody is owed an answer
		}
		if c.idle.over() {
			c.readBy = time.Time{} // the request was there first
		}
	}
	if !whole(c.in.Buffered()) {
		c.readBy = time.Time{}
		return c.readDeadline(c.options().HeaderTimeout)
	}
	return nil
}

// whole reports whether b holds the end of a head, so that no deadline is needed.
func whole(b []byte) bool {
	return bytes.Contains(b, []byte("\r\n\r\n"))
}

func (c *Conn) release() {
	if c.request != nil {
		releaseRequest(c.request)
		c.request = nil
	}
	c.in.Release()
}

// refuse answers a request that does not come in, and ends the connection.
func (c *Conn) refuse(cause error) error {
	a := answerTo(cause)
	if a == nil {
		return io.EOF
	}
	if a == tooLarge {
		a = explainTooLarge(&c.in, c.options().Header)
	}
	a.report(c, cause)
	if c.writeDeadline(time.Now()) == nil {
		_, _ = c.Conn.Write(a.bytes)
	}
	c.linger.Store(true)
	return io.EOF
}

// Write implements [net.Conn]; each write has the time of Options.BodyIdle, so that
// a reader that stops holds nothing forever.
func (c *Conn) Write(p []byte) (int, error) {
	if c.tunnel {
		return c.Conn.Write(p)
	}
	if err := c.writeDeadline(time.Now()); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *Conn) readDeadline(d time.Duration) error {
	return move(&c.readBy, time.Now().Add(d), d, c.SetReadDeadline)
}

func (c *Conn) writeDeadline(now time.Time) error {
	d := c.options().BodyIdle
	err := move(&c.writeBy, now.Add(d), d, c.SetWriteDeadline)
	if by := c.hurry.Load(); by != nil { // after the move: Hurry may have set its deadline before it
		err = c.SetWriteDeadline(*by)
	}
	return err
}

// Hurry makes the answer at work the last one, and gives d to what of it is still to
// be written. A peer that does not read is cut off then.
func (c *Conn) Hurry(d time.Duration) {
	by := time.Now().Add(d)
	c.hurry.Store(&by)
	_ = c.SetWriteDeadline(by)
}

func move(by *time.Time, want time.Time, d time.Duration, set func(time.Time) error) error {
	if ahead := want.Sub(*by); ahead >= 0 && ahead < min(slack, d/4) {
		return nil
	}
	*by = want
	return set(want)
}

// SetDeadline implements [net.Conn]. What the gate had set is void then.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readBy, c.writeBy = time.Time{}, time.Time{}
	return c.Conn.SetDeadline(t)
}

// Close implements [net.Conn]. Behind an answer that left part of what was sent unread, it
// closes one half first and reads on for a moment.
func (c *Conn) Close() (err error) {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	defer c.contain(&err)
	defer c.tellClosed()
	defer c.listener.leave(c) // behind the last that is read: a process that ends sooner resets
	if c.linger.Load() {
		drain(c.Conn)
	}
	if socket := belowTLS(c.Conn); socket != c.Conn {
		cut := time.AfterFunc(goodbyeTime, func() { _ = socket.Close() })
		defer cut.Stop()
	}
	return c.Conn.Close()
}

// Break ends the connection in a way that cannot be taken for an orderly end: with a
// reset, and over TLS without close_notify (RFC 8446 §6.1). Close must still be called.
func (c *Conn) Break() {
	c.linger.Store(false)
	socket := belowTLS(c.Conn)
	if tcp, ok := socket.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = socket.Close()
}

func belowTLS(c net.Conn) net.Conn {
	for {
		upper, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = upper.NetConn()
	}
}

// OnClose makes f be called once the connection is closed; at once where it is.
func (c *Conn) OnClose(f func()) {
	c.onClose.Store(&f)
	if c.closed.Load() {
		c.tellClosed()
	}
}

func (c *Conn) tellClosed() {
	if f := c.onClose.Swap(nil); f != nil {
		(*f)()
	}
}

// drain closes one half and reads on for a moment.
func drain(c net.Conn) {
	if socket := belowTLS(c); socket != c { // CloseWrite writes then
		cut := time.AfterFunc(lingerTime, func() { _ = socket.Close() })
		defer cut.Stop()
	}
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c, lingerBytes)
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
