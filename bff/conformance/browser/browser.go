package browser

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 8 << 20

// Browser is one person's browser. It is safe for several tabs at once.
type Browser struct {
	lookup    func(host string) string
	edge      http.Header
	transport *http.Transport
	// Script is what a product's own pages do by script while people navigate: it may set
	// cookies, and says where the page goes on to; "": nowhere. Nil: no page does.
	Script func(b *Browser, a *Answer) string

	mu    sync.Mutex
	jar   []Cookie
	count int
	seen  strings.Builder
}

// New makes an empty browser. lookup tells the address behind a host and port of a URL;
// edge is what the end of TLS adds to each request.
func New(lookup func(host string) string, edge http.Header) *Browser {
	b := &Browser{lookup: lookup, edge: edge}
	b.transport = &http.Transport{DisableCompression: true, DisableKeepAlives: true, ResponseHeaderTimeout: 20 * time.Second,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", lookup(address))
		}}
	return b
}

// Seen is everything that reached the browser: heads, bodies, cookies.
func (b *Browser) Seen() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen.String()
}

// Answer is what came of a request.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// URL is the last address, after redirects; Chain are all addresses, in order.
	URL   string
	Chain []string
	// Sets are the Set-Cookie lines of the whole chain.
	Sets []string
	// Readable: a script of the page may read the answer.
	Readable bool
	// Blocked says why the browser did not send the request; "" means it did.
	Blocked string
	// Err is what went wrong on the wire.
	Err error
}

// request is one request on the wire.
type request struct {
	method, body, origin, site, mode, dest string
	to                                     *url.URL
	header                                 http.Header
	cookies                                string
}

// send does one request without following anything.
func (b *Browser) send(q request) *Answer {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	plain := *q.to
	plain.Scheme, plain.Fragment = "http", ""
	if q.to.Scheme == "https" && plain.Port() == "" {
		plain.Host += ":443"
	}
	r, err := http.NewRequestWithContext(ctx, q.method, plain.String(), strings.NewReader(q.body))
	if err != nil {
		return &Answer{Err: err, URL: q.to.String()}
	}
	r.Host = q.to.Host
	r.URL.RawQuery = q.to.RawQuery
	for name, values := range q.header {
		r.Header[name] = values
	}
	b.dress(r, q)
	got, err := b.transport.RoundTrip(r)
	if err != nil {
		return &Answer{Err: err, URL: q.to.String()}
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, maxBody))
	a := &Answer{Status: got.StatusCode, Header: got.Header, Body: string(body), URL: q.to.String(), Sets: got.Header["Set-Cookie"], Err: err}
	b.note(a)
	return a
}

// dress puts on what the browser itself says.
func (b *Browser) dress(r *http.Request, q request) {
	set := func(name, value string) {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
	if r.Header.Get("Accept") == "" {
		set("Accept", map[bool]string{true: "text/html,application/xhtml+xml", false: "*/*"}[q.mode == "navigate"])
	}
	set("Origin", q.origin)
	set("Cookie", q.cookies)
	if q.to.Scheme == "https" {
		set("Sec-Fetch-Site", q.site)
		set("Sec-Fetch-Mode", q.mode)
		set("Sec-Fetch-Dest", q.dest)
	}
	for name, values := range b.edge {
		r.Header[name] = values
	}
}

func (b *Browser) note(a *Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen.WriteString(a.URL + "\n")
	for name, values := range a.Header {
		b.seen.WriteString(name + ": " + strings.Join(values, "\n"+name+": ") + "\n")
	}
	b.seen.WriteString(a.Body + "\n")
}

// keep stores the cookies of an answer. One that came across sites to a subresource
// leaves nothing behind: Chromium blocks third-party cookies.
func (b *Browser) keep(a *Answer, allowed bool) {
	u, err := url.Parse(a.URL)
	if err != nil || !allowed {
		return
	}
	for _, line := range a.Sets {
		if c, err := http.ParseSetCookie(line); err == nil {
			b.store(u, c, false)
		}
	}
}
