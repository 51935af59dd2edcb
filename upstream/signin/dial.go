package signin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"coatcheck/configs"
	"coatcheck/upstream/forward"
)

const defaultConnectTimeout = 3 * time.Second

// base is where an upstream is: what its url says, taken apart once.
type base struct {
	scheme string // http or https
	host   string // as in the Host header: no default port
	addr   string // host:port to dial
	path   string // base path without trailing slash, as written
}

// origin is the part of a URL in front of the path.
func (b *base) origin() string { return b.scheme + "://" + b.host }

// parseBase reads an upstream's url.
func parseBase(raw string) (*base, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("url is not scheme://host[:port][/path]")
	}
	ports := map[string]string{"http": "80", "https": "443"}
	port, known := ports[u.Scheme]
	if !known {
		return nil, errors.New("url's scheme is neither https nor http")
	}
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	b := &base{scheme: u.Scheme, path: strings.TrimRight(u.EscapedPath(), "/"), host: bracketed(name)}
	if p := u.Port(); p != "" && p != port {
		port, b.host = p, net.JoinHostPort(name, p)
	}
	b.addr = net.JoinHostPort(name, port)
	return b, nil
}

// bracketed writes a host as it stands in a URL (RFC 3986 §3.2.2).
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// dialer opens connections to one upstream. Proxies named in the environment are
// not asked: they would see passwords.
type dialer struct {
	addr    string
	tls     *tls.Config // nil for http
	timeout time.Duration
	most    int  // connections for calls; 0 = the forwarder's default
	apart   bool // a connection that was kept serves one person only
}

// newDialer reads the certificates that c names.
func newDialer(b *base, c *configs.Upstream) (*dialer, error) {
	d := &dialer{addr: b.addr, timeout: c.ConnectTimeout, most: c.MaxConnections, apart: c.Reuse == "person"}
	if d.timeout <= 0 {
		d.timeout = defaultConnectTimeout
	}
	if b.scheme != "https" {
		return d, nil
	}
	host, _, err := net.SplitHostPort(b.addr)
	if err != nil {
		return nil, errors.New("url's host is malformed")
	}
	d.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	return d, errors.Join(trust(d.tls, c.CA), identify(d.tls, c.ClientCert, c.ClientKey))
}

// trust replaces the system's authorities by those in file.
func trust(t *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("ca: no certificate in the file")
	}
	return nil
}

// identify loads the certificate that Coatcheck shows (mutual TLS).
func identify(t *tls.Config, cert, key string) error {
	if cert == "" && key == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("client_cert: %w", err)
	}
	t.Certificates = []tls.Certificate{pair}
	return nil
}

// dial opens one connection, TLS included, within connect_timeout.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	plain := &net.Dialer{}
	if d.tls == nil {
		conn, err := plain.DialContext(ctx, "tcp", d.addr)
		return conn, markDial(err)
	}
	secure := tls.Dialer{NetDialer: plain, Config: d.tls}
	conn, err := secure.DialContext(ctx, "tcp", d.addr)
	return conn, markDial(err)
}

func markDial(err error) error {
	if err == nil {
		return nil
	}
	return &dialError{err}
}

// dialReason says in our own words why no connection stood; a certificate's
// bytes are as foreign as any answer's.
func dialReason(err error) string {
	var untrusted *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &untrusted):
		return "certificate is not trusted"
	case errors.As(err, &record):
		return "no TLS spoken there"
	case errors.As(err, &alert) && alert.Op == "remote error":
		return "TLS refused"
	}
	return "no connection"
}

// ForwardOptions are where this upstream is and how it is reached, for a
// [forward.Forwarder] that carries calls there.
func (u *Upstream) ForwardOptions() forward.Options {
	return forward.Options{URL: &url.URL{Scheme: u.base.scheme, Host: u.base.host}, TLS: u.dialer.tls, ConnectTimeout: u.dialer.timeout, MaxConns: u.dialer.most, OwnerOnly: u.dialer.apart}
}
