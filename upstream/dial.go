package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"
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

	addr string
	tls  *tls.Config // nil: plain
	net  net.Dialer
}

// NewDialer makes a dialer to an address. c is not changed and says whom to trust and
// which certificate to show; nil: the system's authorities and none. The server's name
// is the address's unless c names one; below TLS 1.2 nothing is spoken. timeout bounds
// dialling and the TLS handshake together; 0: [ConnectTimeout].
func NewDialer(a *Address, c *tls.Config, timeout time.Duration) *Dialer {
	if timeout <= 0 {
		timeout = ConnectTimeout
	}
	d := &Dialer{addr: a.dial, Timeout: timeout}
	if a.Scheme == "https" {
		d.tls = forHTTP1(c, a.name)
	}
	return d
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
	socket, err := d.net.DialContext(ctx, "tcp", d.addr)
	if err != nil {
		return nil, notOpen(ctx, err)
	}
	if opened != nil {
		if err := opened(socket); err != nil {
			_ = socket.Close()
			return nil, err
		}
	}
	if d.tls == nil {
		return socket, nil
	}
	secure := tls.Client(belowTLS{socket}, d.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = socket.Close()
		return nil, notOpen(ctx, err)
	}
	return secure, nil
}

// notOpen says that the time was up, or the caller gone, where that is why opening
// failed: what was interrupted may say something else. What this process lacks is
// [ErrBusy].
func notOpen(ctx context.Context, err error) error {
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
