// Package gate stands between the public listener and the web server, and lets
// only well-formed requests through.
//
// It reads each request's head itself (package http1), refuses whatever is
// malformed with a fixed answer that repeats no byte of it, and then shows the web
// server a head of its own making: method, target, version, Host, and whether the
// connection goes on. So the server has nothing to misread: framing, Expect,
// cookies and all other fields are read from [Request] only. The body is read from
// there too, under the gate's own deadlines; the server behind sees none.
//
// A connection carries one [Request] at a time. What Read hands out never spans
// two requests, so pipelined ones are answered in order. Whoever answers while a
// body is still coming calls [Request.Finish] and closes: the gate then half-closes
// and reads on for a moment, or the peer's TCP might throw the answer away
// (RFC 9112 §9.6).
package gate

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Options are the bounds of one connection; all must be positive.
type Options struct {
	// Header is the most bytes of a head; more is answered 431.
	Header int
	// HeaderTimeout is the time from a head's first byte to its last; longer is answered 408.
	HeaderTimeout time.Duration
	// BodyIdle is the silence allowed inside a request body, and the time one write may take.
	BodyIdle time.Duration
	// KeepAlive is how long a connection without a request is kept.
	KeepAlive time.Duration
	// Refused, if set, hears of every request that the gate answered itself.
	Refused func(Refusal)
}

// Refusal is a request that never came in.
type Refusal struct {
	Peer   netip.AddrPort
	Status int
	Code   string
	Cause  error
}

// What can go wrong with a body.
var (
	// ErrBodyTooLarge says that a body is over [Request.LimitBody].
	ErrBodyTooLarge = errors.New("gate: request body too large")
	// ErrBodyTimeout says that a body fell silent for longer than Options.BodyIdle.
	ErrBodyTimeout = errors.New("gate: request body fell silent")
	// ErrBodyBroken says that a body broke off or is badly framed.
	ErrBodyBroken = errors.New("gate: request body broken")
)

// Listener wraps the connections of another listener.
type Listener struct {
	net.Listener
	options Options
	watcher *watcher
	once    sync.Once
}

// Listen puts the gate in front of l.
func Listen(l net.Listener, o Options) *Listener {
	return &Listener{Listener: l, options: o, watcher: newWatcher()}
}

// Stop ends the watch over connections, once they have all been closed.
func (l *Listener) Stop() { l.once.Do(l.watcher.close) }

// Accept implements [net.Listener]; each connection is a *[Conn].
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := newConn(c, &l.options)
	conn.watcher = l.watcher
	l.watcher.add(conn)
	return conn, nil
}
