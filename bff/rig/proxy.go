package rig

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Proxy is a forward proxy that leads everything to one address, whatever a request names,
// and remembers what it was asked.
type Proxy struct {
	*httptest.Server
	target string
	// Refuse, if it is not 0, is the status of every answer.
	Refuse int

	mu    sync.Mutex
	asked []Received
}

// NewProxy starts a proxy to target, host:port; it ends with the test. secure proxies
// speak TLS themselves.
func NewProxy(t testing.TB, target string, secure bool) *Proxy {
	t.Helper()
	p := &Proxy{target: target}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	if secure {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

// Asked are all requests that came, CONNECT among them.
func (p *Proxy) Asked() []Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Received(nil), p.asked...)
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, Received{Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header.Clone()})
	p.mu.Unlock()
	if p.Refuse != 0 {
		w.WriteHeader(p.Refuse)
		return
	}
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer to.Close()
	if r.Method != http.MethodConnect {
		forward(w, r, to)
		return
	}
	from, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	_, _ = io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { // ends with the connections
		_, _ = io.Copy(to, buffered)
		_ = to.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(from, to)
}

// forward sends one request on in origin-form.
func forward(w http.ResponseWriter, r *http.Request, to net.Conn) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.Header.Del("Proxy-Authorization")
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return to, nil }} // one connection, at hand
	answer, err := transport.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}
