package signin

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/go-resty/resty/v2"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// ClientOptions say how a [Client] reaches the servers that it asks. The zero value
// trusts the system's authorities and dials what a URL names.
type ClientOptions struct {
	// UserAgent is what servers see; "Coatcheck" by default.
	UserAgent string
	// ConnectTimeout bounds opening a connection, TLS included. 3 s.
	ConnectTimeout time.Duration
	// CA names a PEM file of authorities to trust instead of the system's;
	// ClientCert and ClientKey are shown to servers that ask for them (mutual TLS).
	CA, ClientCert, ClientKey string
	// Addresses, host to host:port, are dialled instead of what a URL names.
	Addresses map[string]string
	// Allow, if set, judges each address right before it is dialled, after its name
	// was resolved, so that no name can change its mind in between.
	Allow func(host string, addr netip.Addr) error
	// Proxy, if set, is asked for a tunnel to each address; it resolves the names. Names it
	// is asked for are judged by AllowName.
	Proxy *upstream.Proxy
	// AllowName, if set, judges each host right before Proxy is asked for it.
	AllowName func(host string) error
	// Limit bounds the body of an answer, in bytes. 1 MiB.
	Limit int
}

// A Client asks servers that are named by whole URLs, as providers are. It is as
// guarded as the client of an upstream: no cookies, no redirects, no repetition, no
// proxies of the environment, bounded answers. It can be used by many goroutines.
type Client struct {
	rest    *resty.Client
	agent   string
	options ClientOptions
	tls     *tls.Config
}

// NewClient makes a client, and reads the files that o names.
func NewClient(o ClientOptions) (*Client, error) {
	trust, err := upstream.TLSConfig(o.CA, o.ClientCert, o.ClientKey)
	if err != nil {
		return nil, err
	}
	c := &Client{agent: o.UserAgent, options: o, tls: trust}
	if c.agent == "" {
		c.agent = "Coatcheck"
	}
	if o.ConnectTimeout <= 0 {
		c.options.ConnectTimeout = upstream.ConnectTimeout
	}
	if o.Limit <= 0 {
		c.options.Limit = maxBody
	}
	c.rest = guarded(&http.Transport{DialContext: c.dial, DialTLSContext: c.dialTLS})
	return c, nil
}

// Close closes idle connections. Calls at work end as they would have.
func (c *Client) Close() { c.rest.GetClient().Transport.(*http.Transport).CloseIdleConnections() }

// A URLRequest is one request of a [Client].
type URLRequest struct {
	// Method is GET where it is empty.
	Method string
	// URL is whole; its query is never logged.
	URL string
	// Header is sent beside Accept and User-Agent, and wins over them.
	Header http.Header
	// Form is sent as the body where it is not nil.
	Form url.Values
}

// A URLResponse is a server's whole answer, whatever its status.
type URLResponse struct {
	// Status is its code, Header all fields, Body the whole body.
	Status int
	Header http.Header
	Body   []byte
}

// Ask sends q once. It fails with [upstream.ErrUnreachable], [upstream.ErrTimeout], [upstream.ErrInvalid] (the
// answer is malformed or too large), or [context.Canceled] where ctx was.
func (c *Client) Ask(ctx context.Context, q URLRequest) (*URLResponse, error) {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	header := http.Header{"Accept": {"application/json"}, "User-Agent": {c.agent}}
	for name, values := range q.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	r := c.rest.R().SetContext(ctx).SetDoNotParseResponse(true)
	r.Header = header
	if q.Form != nil {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBody(q.Form.Encode())
	}
	tracing := traceOf(ctx)
	tracing.urlRequest(q, header)
	got, err := r.Execute(q.Method, q.URL)
	var body []byte
	if err == nil {
		body, err = readBody(got, c.options.Limit)
	}
	if err != nil {
		err = failure(ctx, err)
		tracing.failed(err)
		return nil, err
	}
	tracing.response(mapping.NewResponse(got.StatusCode(), got.Header(), body))
	return &URLResponse{Status: got.StatusCode(), Header: got.Header(), Body: body}, nil
}

// dial opens a connection to addr, or to what stands in its place.
func (c *Client) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.ConnectTimeout)
	defer cancel()
	conn, err := c.open(ctx, addr)
	if err != nil {
		return nil, upstream.NotOpen(ctx, err)
	}
	return conn, nil
}

// open opens what is spoken over, plain or TLS: a socket, or a tunnel.
func (c *Client) open(ctx context.Context, addr string) (net.Conn, error) {
	if c.options.Proxy == nil {
		return c.dialer(addr).DialContext(ctx, "tcp", c.instead(addr))
	}
	host, _, err := net.SplitHostPort(addr)
	if err == nil && c.options.AllowName != nil {
		err = c.options.AllowName(strings.ToLower(host))
	}
	if err != nil {
		return nil, err
	}
	return c.options.Proxy.Tunnel(ctx, &net.Dialer{}, c.instead(addr))
}

// dialTLS is dial with TLS for the name in the URL, wherever the connection goes.
func (c *Client) dialTLS(ctx context.Context, _, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.ConnectTimeout)
	defer cancel()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, upstream.NotOpen(ctx, err)
	}
	own := c.tls.Clone()
	own.ServerName = host
	conn, err := c.open(ctx, addr)
	if err != nil {
		return nil, upstream.NotOpen(ctx, err)
	}
	secure := tls.Client(conn, own)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, upstream.NotOpen(ctx, err)
	}
	return secure, nil
}

// instead is the address that is dialled for addr.
func (c *Client) instead(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if other := c.options.Addresses[strings.ToLower(host)]; err == nil && other != "" {
		return other
	}
	return addr
}

// dialer asks Allow about every address before a connection is opened.
func (c *Client) dialer(addr string) *net.Dialer {
	d := &net.Dialer{}
	host, _, _ := net.SplitHostPort(addr)
	if c.options.Allow == nil {
		return d
	}
	d.Control = func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", upstream.ErrForbiddenAddress, "not an address")
		}
		return c.options.Allow(strings.ToLower(host), at.Addr().Unmap())
	}
	return d
}
