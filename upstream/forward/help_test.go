package forward_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// wireAPI is an API that says exactly the bytes a test wants said.
type wireAPI struct {
	t        testing.TB
	listener net.Listener
	count    atomic.Int64
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// wirePeer is one connection at the API.
type wirePeer struct {
	net.Conn
	t     testing.TB
	in    *bufio.Reader
	index int       // which connection this is, from 0
	stop  chan bool // set by tests that need it
	heard chan bool // likewise
}

// serveWire runs script for every connection, which is closed behind it.
func serveWire(t testing.TB, script func(p *wirePeer)) *wireAPI {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := &wireAPI{t: t, listener: listener, open: map[net.Conn]bool{}}
	go api.accept(script)
	t.Cleanup(api.close)
	return api
}

func (a *wireAPI) accept(script func(p *wirePeer)) {
	for {
		c, err := a.listener.Accept()
		if err != nil {
			return
		}
		a.mu.Lock()
		a.open[c] = true
		a.mu.Unlock()
		index := int(a.count.Add(1)) - 1
		go func() {
			defer a.forget(c)
			script(&wirePeer{Conn: c, t: a.t, in: bufio.NewReader(c), index: index})
		}()
	}
}

func (a *wireAPI) forget(c net.Conn) {
	_ = c.Close()
	a.mu.Lock()
	delete(a.open, c)
	a.mu.Unlock()
}

func (a *wireAPI) close() {
	_ = a.listener.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.open {
		_ = c.Close()
	}
}

// connections is how many are open, as far as the API has heard.
func (a *wireAPI) connections() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open)
}

// dialled is how many connections came.
func (a *wireAPI) dialled() int { return int(a.count.Load()) }

func (a *wireAPI) url() *url.URL {
	return &url.URL{Scheme: "http", Host: a.listener.Addr().String()}
}

// wireRequest is a request as the API read it.
type wireRequest struct {
	*http.Request
	body string
}

// request reads one whole request, with the standard library's parser; nil where
// the connection ended.
func (p *wirePeer) request() *wireRequest {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	return &wireRequest{r, string(body)}
}

// head reads up to a request's empty line and returns it all.
func (p *wirePeer) head() string {
	var all strings.Builder
	for {
		line, err := p.in.ReadString('\n')
		all.WriteString(line)
		if err != nil || line == "\r\n" {
			return all.String()
		}
	}
}

func (p *wirePeer) say(s string) { _, _ = io.WriteString(p.Conn, s) }

// reset closes the connection with a RST.
func (p *wirePeer) reset() {
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	_ = p.Conn.Close()
}

// finish closes the sending half: a FIN.
func (p *wirePeer) finish() { _ = p.Conn.(*net.TCPConn).CloseWrite() }

// drain reads until the other side is gone.
func (p *wirePeer) drain() { _, _ = io.Copy(io.Discard, p.in) }

// ok is a whole answer.
func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// connectTimeout and idleTimeout are for tests that wait for neither: nothing ends by them,
// however busy the machine is.
const (
	connectTimeout = 2 * time.Minute
	idleTimeout    = 10 * time.Minute
)

// dialTo makes a dialer to a URL; timeout, if given, is its connect timeout.
func dialTo(u *url.URL, timeout ...time.Duration) *upstream.Dialer {
	address, err := upstream.ParseURL(u.String())
	if err != nil {
		panic(err)
	}
	return upstream.NewDialer(address, nil, append(timeout, connectTimeout)[0])
}

// dialTLS makes a dialer to host over TLS.
func dialTLS(host string, c *tls.Config, timeout time.Duration) *upstream.Dialer {
	address, err := upstream.ParseURL("https://" + host)
	if err != nil {
		panic(err)
	}
	return upstream.NewDialer(address, c, timeout)
}

// newForwarder makes a forwarder to api; options may be changed before.
func newForwarder(t testing.TB, api *wireAPI, change ...func(*forward.Options)) *forward.Forwarder {
	t.Helper()
	o := forward.Options{Dialer: dialTo(api.url()), IdleTimeout: idleTimeout}
	for _, c := range change {
		c(&o)
	}
	f, err := forward.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// newCall makes a call; method and path as given, no body.
func newCall(method, path string) *forward.Call {
	return &forward.Call{
		Head:        []byte(method + " " + path + " HTTP/1.1\r\nHost: api.example.net\r\n"),
		IsHead:      method == "HEAD",
		Idempotent:  strings.Contains("GET HEAD OPTIONS PUT DELETE", method),
		NeedsLength: strings.Contains("POST PUT PATCH", method),
		// Long enough never to pass in a test that does not wait for it.
		HeaderTimeout: 2 * time.Minute,
		IdleTimeout:   2 * time.Minute,
	}
}

// outcome is what became of a call.
type outcome struct {
	status int
	body   string
	whole  bool  // there was a head and the body came to its end
	err    error // of Do, or else of reading the body
	fields string
	length int64
	inHand bool // Complete was there
	late   bool // see closeLate
}

func (o outcome) String() string {
	return fmt.Sprintf("status %d, length %d, body %.60q, whole %v, error %v", o.status, o.length, o.body, o.whole, o.err)
}

// do makes a call, reads its answer to the end and closes it. What the call says that it
// reads no more, others write over.
func do(f *forward.Forwarder, call *forward.Call) (o outcome) {
	var ans forward.Response
	sent := 0
	call.Sent = func() {
		sent++
		for _, free := range [][]byte{call.Head[:cap(call.Head)], call.Buffered} {
			copy(free, bytes.Repeat([]byte{'~'}, len(free)))
		}
	}
	if o.err = f.Do(call, &ans); sent != 1 {
		return outcome{err: fmt.Errorf("Sent was called %d times, and %w", sent, o.err)}
	}
	if o.err != nil {
		return o
	}
	defer ans.Release()
	defer func() { o.late = closeLate(&ans) }()
	o.status, o.length, o.inHand = ans.Status, ans.Length, ans.Complete != nil
	for _, field := range ans.Fields {
		o.fields += string(field.Name) + ": " + string(field.Value) + "\n"
	}
	body, err := io.ReadAll(&ans)
	o.body, o.err, o.whole = string(body), err, err == nil
	if o.inHand && string(ans.Complete) != o.body {
		o.err = errors.New("Complete is not what Read gave")
	}
	return o
}

// patience is how long a complete answer is promised to wait for the end of its request.
const patience = 100 * time.Millisecond

// closeLate closes an answer and reports whether that took longer than patience. Then the
// connection may be closed instead of kept, as promised, and the call is made again. A busy
// machine delays some calls; if all are late, the test does not end, and that is a fault.
func closeLate(ans *forward.Response) bool {
	begun := time.Now()
	_ = ans.Close()
	return time.Since(begun) >= patience
}

func get(f *forward.Forwarder, path string) outcome { return do(f, newCall("GET", path)) }

// eventually waits for a condition, two minutes at most: only what never happens may
// fail, however busy the machine is.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// refused asks until the breaker refuses. An API that failed at begun, or later, is left alone
// for [forward.BreakerRest]; only a busy machine lets that pass before the next call, which
// then fails as those before it.
func refused(t *testing.T, begun time.Time, ask func() error) {
	t.Helper()
	for {
		now := time.Now()
		err := ask()
		if errors.Is(err, forward.ErrOpen) {
			return
		}
		if time.Since(begun) < forward.BreakerRest {
			t.Fatalf("not refused: %v", err)
		}
		begun = now
	}
}

// within fails the test if f takes longer.
func within(t testing.TB, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("not within %v: %s", limit, what)
	}
}
