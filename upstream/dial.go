package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"

	"coatcheck/bff/socket"
)

// ConnectTimeout bounds opening a connection where nothing else is said.
const ConnectTimeout = 3 * time.Second

// Dialer opens connections to one API. The name is looked up each time, and both
// address families are tried (RFC 8305). Proxies named in the environment are not
// asked: they would see passwords. It is safe for concurrent use.
type Dialer struct {
	// Timeout bounds opening one connection, TLS included. It may be changed before
	// the first use.
	Timeout time.Duration

	network string // tcp or unix
	addr    string
	tls     *tls.Config // nil: plain
	proxy   *Proxy      // nil: none
	net     net.Dialer
}

// NewDialer makes a dialer to an address. c is not changed and says whom to trust and
// which certificate to show; nil: the system's authorities and none. The server's name
// is the address's unless c names one; below TLS 1.2 nothing is spoken. timeout bounds
// dialling and the TLS handshake together; 0: [ConnectTimeout].
func NewDialer(a *Address, c *tls.Config, timeout time.Duration) *Dialer {
	if timeout <= 0 {
		timeout = ConnectTimeout
	}
	d := &Dialer{network: a.network(), addr: a.dial, Timeout: timeout}
	if a.Scheme == "https" {
		d.tls = forHTTP1(c, a.name)
	}
	return d
}

// Through makes connections go through a proxy; nil: none. It is called before the first
// use.
func (d *Dialer) Through(p *Proxy) *Dialer {
	d.proxy = p
	return d
}

// Absolute is the proxy to which requests go in absolute form, because the API speaks
// plain HTTP (RFC 9112 §3.2.2); nil: none does, and a proxy is asked for a tunnel.
func (d *Dialer) Absolute() *Proxy {
	if d.tls != nil {
		return nil
	}
	return d.proxy
}

// forHTTP1 completes a configuration: the name to verify, TLS 1.2 at least, no
// other protocol than HTTP/1.1 (RFC 7301), resumption.
func forHTTP1(c *tls.Config, host string) *tls.Config {
	if c == nil {
		c = new(tls.Config)
	}
	c = c.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = []string{"http/1.1"}
	if c.ClientSessionCache == nil {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(64)
	}
	return c
}

// Dial opens one connection, TLS included. opened, if set, gets the socket below TLS as
// soon as it is there, so that it can be closed during the handshake; where it returns
// an error the socket is closed and Dial fails with that.
//
// Errors are ctx's, [context.DeadlineExceeded] after the dialer's own time, [ErrBusy]
// where this process has nothing to dial with, what opened returned, or one that
// [Reason] knows.
func (d *Dialer) Dial(ctx context.Context, opened func(socket net.Conn) error) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	return d.DialUntil(ctx, opened)
}

// DialUntil is [Dialer.Dial] where ctx alone bounds the time.
func (d *Dialer) DialUntil(ctx context.Context, opened func(socket net.Conn) error) (net.Conn, error) {
	network, addr := d.network, d.addr
	if d.proxy != nil {
		network, addr = "tcp", d.proxy.dial
	}
	dialled, err := d.net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, NotOpen(ctx, err)
	}
	socket := socket.Wrap(dialled)
	if opened != nil {
		if err := opened(socket); err != nil {
			_ = socket.Close()
			return nil, err
		}
	}
	conn, err := d.speak(ctx, socket)
	if err != nil {
		_ = socket.Close()
		return nil, NotOpen(ctx, err)
	}
	return conn, nil
}

// speak does what is to be done on a socket before the API hears of a request: TLS to the
// proxy, a tunnel through it, TLS to the API.
func (d *Dialer) speak(ctx context.Context, socket net.Conn) (conn net.Conn, err error) {
	conn = socket
	if d.proxy != nil {
		if conn, err = d.proxy.handshake(ctx, socket); err != nil {
			return nil, err
		}
	}
	if d.tls == nil {
		return conn, nil
	}
	if d.proxy != nil {
		if err := d.proxy.connect(ctx, conn, d.addr); err != nil {
			return nil, err
		}
	}
	secure := tls.Client(belowTLS{conn}, d.tls)
	return secure, secure.HandshakeContext(ctx)
}

// NotOpen marks why a connection could not be opened, so that [Reason] knows it. It says
// that the time was up, or the caller gone, where that is why opening failed: what was
// interrupted may say something else. What this process lacks is [ErrBusy].
func NotOpen(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isDepleted(err) {
		return ErrDepleted
	}
	return &dialError{err}
}

// dialError marks what happened before a connection stood.
type dialError struct{ cause error }

func (e *dialError) Error() string { return "dial: " + e.cause.Error() }
func (e *dialError) Unwrap() error { return e.cause }

var errBareEnd = fmt.Errorf("connection ended without close_notify: %w", io.ErrUnexpectedEOF)

// belowTLS is a socket whose bare end is an error: TLS takes it for an orderly one,
// but anybody on the way can forge it (RFC 9112 §9.8: only close_notify ends a body
// that has no length).
type belowTLS struct{ net.Conn }

func (b belowTLS) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if err == io.EOF {
		err = errBareEnd // not io.ErrUnexpectedEOF itself, which TLS would turn back
	}
	return n, err
}
