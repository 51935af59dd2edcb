// Package edge is the end of TLS in front of a subject, for a real browser: a certificate
// of its own for every host of the suite, the subject behind the hosts that it serves, and
// pages without content, on which cases run scripts.
package edge

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
)

// Page is a path at which every host has an empty page: the frontend's own, or an
// attacker's. No subject sees it.
const Page = "/conformance-page"

const page = "<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href=data:,><title>page</title>"

// Edge is one end of TLS.
type Edge struct {
	// Pin is the SHA-256 of its key, in base64; Port where it listens on 127.0.0.1.
	Pin, Port string

	lookup func(hostport string) string
	adds   http.Header
	proxy  *httputil.ReverseProxy
	server *http.Server

	mu    sync.Mutex
	seen  strings.Builder
	asked []Asked
}

// Asked is a request that has been answered, as the browser sent it.
type Asked struct {
	Host, URI string
	Header    http.Header
}

// New starts an edge. lookup tells the address behind a host and port, or returns them
// unchanged for hosts that serve nothing but pages; adds are headers for the subject.
func New(lookup func(hostport string) string, adds http.Header) (*Edge, error) {
	cert, pin, err := certificate()
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	e := &Edge{Pin: pin, Port: port, lookup: lookup, adds: adds}
	quiet := log.New(io.Discard, "", 0)
	e.proxy = &httputil.ReverseProxy{Rewrite: e.rewrite, ModifyResponse: e.note, FlushInterval: -1, ErrorLog: quiet, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	e.server = &http.Server{Handler: e, ErrorLog: quiet}
	go func() { _ = e.server.Serve(l) }() // ends with Close
	return e, nil
}

// Close ends it and its connections.
func (e *Edge) Close() { _ = e.server.Close() }

// ServeHTTP implements [http.Handler].
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tell := sync.OnceFunc(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.asked = append(e.asked, Asked{r.Host, r.RequestURI, r.Header.Clone()})
	})
	defer tell() // what is small leaves only then
	if r.URL.Path == Page || e.lookup(r.Host+":443") == r.Host+":443" {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
		return
	}
	e.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), telling{}, tell)))
}

// telling is the key at which a request has what tells that it is answered, which must come
// before its answer: whoever sees that looks at once.
type telling struct{}

// rewrite leads a request to the subject, unchanged but for what an end of TLS adds.
func (e *Edge) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host, r.Out.URL.RawQuery = "http", e.lookup(r.In.Host+":443"), r.In.URL.RawQuery
	for name, values := range e.adds {
		r.Out.Header[name] = values
	}
}

// note keeps what a page, or whoever looks into its tools, could read of an answer. The
// session's cookie is not part of it: it has cases of its own.
func (e *Edge) note(a *http.Response) error {
	a.Request.Context().Value(telling{}).(func())()
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, values := range a.Header {
		if name != "Set-Cookie" {
			e.seen.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
		}
	}
	if a.StatusCode != http.StatusSwitchingProtocols {
		a.Body = &listener{a.Body, e}
	}
	return nil
}

// listener notes a body as it passes.
type listener struct {
	io.ReadCloser
	edge *Edge
}

// Read implements [io.Reader].
func (l *listener) Read(b []byte) (int, error) {
	n, err := l.ReadCloser.Read(b)
	l.edge.mu.Lock()
	defer l.edge.mu.Unlock()
	l.edge.seen.Write(b[:n])
	return n, err
}

// Seen is all that came to the browser from the subject, Set-Cookie aside.
func (e *Edge) Seen() string { e.mu.Lock(); defer e.mu.Unlock(); return e.seen.String() }

// Asked are the requests that have been answered, in order.
func (e *Edge) Asked() []Asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Asked(nil), e.asked...)
}
