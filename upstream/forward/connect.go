package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"

	"coatcheck/upstream"
)

const defaultConnect = 3 * time.Second

// connector opens connections to one address. The name is looked up each time, and
// both address families are tried (RFC 8305) by the dialer.
type connector struct {
	addr    string
	tls     *tls.Config // nil: plain
	timeout time.Duration
	dialer  net.Dialer
}

func (k *connector) init(o Options) error {
	if o.URL == nil || o.URL.Hostname() == "" {
		return errors.New("no host in the URL")
	}
	k.timeout = orDuration(o.ConnectTimeout, defaultConnect)
	switch o.URL.Scheme {
	case "http":
		k.addr = address(o.URL, "80")
	case "https":
		k.addr = address(o.URL, "443")
		k.tls = forHTTP1(o.TLS, o.URL.Hostname())
	default:
		return errors.New("the URL's scheme is neither http nor https")
	}
	return nil
}

func address(u *url.URL, port string) string {
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
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

// connect opens c.
func (k *connector) connect(ctx context.Context, c *conn) error {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	socket, err := k.dialer.DialContext(ctx, "tcp", k.addr)
	if err != nil {
		return whyNotOpen(ctx, err)
	}
	if !c.own(socket) {
		_ = socket.Close()
		return ErrAborted
	}
	c.net = socket
	if k.tls != nil {
		secure := tls.Client(belowTLS{socket}, k.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return whyNotOpen(ctx, err)
		}
		c.net = secure
	}
	if sc, ok := socket.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.watch()
	c.reader.Reset(c.net)
	return nil
}

// whyNotOpen says that the time was up, or the caller gone, where that is why opening
// failed: what was interrupted may say something else. What this process lacks is
// [upstream.ErrBusy].
func whyNotOpen(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if upstream.IsDepleted(err) {
		return upstream.ErrDepleted
	}
	return err
}
