package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Proxy is a forward proxy on the way to an API (RFC 9110 §3.7, §9.3.6). Its zero value is
// none; only [ParseProxy] makes another.
type Proxy struct {
	dial   string // host:port
	secure *tls.Config
	user   *url.Userinfo
	// authorization is the value of Proxy-Authorization (RFC 7617); empty: none. It is a
	// secret, and Proxy has no method that prints it.
	authorization string
}

// ParseProxy reads a proxy's URL, http[s]://[user:password@]host[:port]; an empty one is
// none. Its errors do not repeat the URL, which may hold a password.
func ParseProxy(raw string) (*Proxy, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("not http[s]://[user:password@]host[:port]")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the scheme of a proxy is http or https")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("a proxy has neither path nor query")
	}
	port := u.Port()
	p := &Proxy{}
	if u.Scheme == "https" {
		p.secure = forHTTP1(nil, u.Hostname())
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	p.dial = net.JoinHostPort(u.Hostname(), port)
	if u.User != nil {
		password, _ := u.User.Password()
		p.user = u.User
		p.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	}
	return p, nil
}

// Name is the proxy's host:port, for messages.
func (p *Proxy) Name() string { return p.dial }

// Format implements [fmt.Formatter]: every verb prints the name, and no password.
func (p *Proxy) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("proxy " + p.dial)) }

// URL is the proxy's address with its password, for a transport of net/http alone: it is
// never printed.
func (p *Proxy) URL() *url.URL {
	scheme := "http"
	if p.secure != nil {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: p.dial, User: p.user}
}

// Authorization is the value of Proxy-Authorization on requests in absolute form; empty:
// none.
func (p *Proxy) Authorization() string { return p.authorization }

// errProxy says that the proxy opened no way to the API.
type errProxy struct{ reason string }

func (e errProxy) Error() string { return e.reason }

// handshake speaks TLS to the proxy, where its URL says so.
func (p *Proxy) handshake(ctx context.Context, socket net.Conn) (net.Conn, error) {
	if p.secure == nil {
		return socket, nil
	}
	secure := tls.Client(belowTLS{socket}, p.secure)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secure, nil
}

// Tunnel opens a connection to target, host:port, through the proxy. dial opens the one
// to the proxy itself.
func (p *Proxy) Tunnel(ctx context.Context, dial *net.Dialer, target string) (net.Conn, error) {
	socket, err := dial.DialContext(ctx, "tcp", p.dial)
	if err != nil {
		return nil, err
	}
	conn, err := p.handshake(ctx, socket)
	if err == nil {
		err = p.connect(ctx, conn, target)
	}
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	return conn, nil
}

// maxConnectAnswer bounds the head of an answer to CONNECT, in bytes.
const maxConnectAnswer = 16 << 10

// connect asks the proxy for a tunnel to target, host:port (RFC 9110 §9.3.6).
func (p *Proxy) connect(ctx context.Context, c net.Conn, target string) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if p.authorization != "" {
		request += "Proxy-Authorization: " + p.authorization + "\r\n"
	}
	if _, err := c.Write([]byte(request + "\r\n")); err != nil {
		return err
	}
	status, err := readConnectAnswer(c)
	switch {
	case err != nil:
		return err
	case status == 407:
		return errProxy{"the proxy wants other credentials"}
	case status < 200 || status > 299:
		return errProxy{fmt.Sprintf("the proxy refused, with status %d", status)}
	}
	if !stop() {
		return ctx.Err()
	}
	return nil
}

// readConnectAnswer reads an answer's head, and not a byte more: what follows is the
// API's.
func readConnectAnswer(c net.Conn) (status int, err error) {
	var head []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) && !bytes.HasSuffix(head, []byte("\n\n")) {
		if len(head) == maxConnectAnswer {
			return 0, errProxy{"the proxy's answer is too long"}
		}
		n, err := c.Read(one)
		if n == 1 {
			head = append(head, one[0])
			continue
		}
		if err != nil {
			return 0, err
		}
	}
	return parseStatus(head)
}

// parseStatus reads the status of an answer's first line (RFC 9112 §4).
func parseStatus(head []byte) (int, error) {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	version, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) || len(code) != 3 {
		return 0, errProxy{"no proxy speaks there"}
	}
	status := 0
	for _, c := range code {
		if c < '0' || c > '9' {
			return 0, errProxy{"no proxy speaks there"}
		}
		status = status*10 + int(c-'0')
	}
	return status, nil
}
