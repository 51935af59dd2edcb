package forward_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/upstream/forward"
)

// FuzzDifferential lets an API say any bytes. What the forwarder delivers as a whole
// answer must be what net/http's Transport delivers; it may refuse more. And the
// call after it gets the answer to that call, or none.
func FuzzDifferential(f *testing.F) {
	for _, seed := range differentialSeeds {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(1))
	}
	for n := range uint64(200) {
		f.Add(generate(rand.New(rand.NewPCG(n, 1))), uint8(n))
	}
	d := newDifferential(f)
	f.Fuzz(func(t *testing.T, says []byte, method uint8) { d.compare(t, says, method) })
}

// TestDifferential is the same over answers made from the grammar's pieces, more of
// them well-formed than a fuzzer finds.
func TestDifferential(t *testing.T) {
	d := newDifferential(t)
	delivered := 0
	const cases = 5000
	for n := range uint64(cases) {
		if d.compare(t, generate(rand.New(rand.NewPCG(n, 2))), uint8(n)) {
			delivered++
		}
		if t.Failed() {
			return
		}
	}
	if delivered < cases/10 {
		t.Errorf("only %d of %d answers were delivered: the comparison says little", delivered, cases)
	}
}

var differentialSeeds = []string{
	ok("hello"),
	ok("hello") + ok("evil"),
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\n\r\nby end",
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("x"),
	"HTTP/1.1 101 Switching Protocols\r\n\r\n" + ok("x"),
	"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
	"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
	"HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
	"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
	"HTTP/1.1 200 OK\r\nPragma: no-cache\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00005\r\nhello\r\n00\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
}

// generate makes an answer, or something near one, of pieces.
func generate(r *rand.Rand) []byte {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	rarely := func(odd string, usual string) string {
		if r.IntN(12) == 0 {
			return odd
		}
		return usual
	}
	crlf := func() string { return rarely(pick("\n", "\r\n ", "\r", "\r\n\t"), "\r\n") }
	body := strings.Repeat(pick("x", "ab", "0\r\n\r\n", "\r\n", ok("y")), r.IntN(4))
	var b strings.Builder
	for range r.IntN(10) - 7 {
		b.WriteString("HTTP/1.1 " + pick("100", "102", "103", "199") + " Wait\r\n" + pick("", "Link: a\r\n") + "\r\n")
	}
	b.WriteString(rarely(pick("HTTP/1.0", "HTTP/1.2", "http/1.1", "HTTP/2"), "HTTP/1.1") + rarely("  ", " "))
	b.WriteString(rarely(pick("101", "1000", "000", "99", "600"), pick("200", "200", "200", "204", "205", "206", "304", "404", "500")))
	b.WriteString(pick("", " ", " OK", " Not \xe9") + crlf())
	for range r.IntN(3) {
		b.WriteString(pick("X-A", "x-b", "Vary", "Set-Cookie", "Pragma", "Date") + rarely(pick(" :", "", "\x00:"), ":") +
			pick("", " ", "\t") + pick("a", "no-cache", "a, b", "\"q\"", "") + pick("", " ") + crlf())
	}
	chunked := "Transfer-Encoding: chunked\r\n"
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	connection := rarely(pick("Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: a, close\r\n"), "")
	switch r.IntN(8) {
	case 0: // by end
		b.WriteString(connection + "\r\n" + body)
	case 1: // two framings, or a strange one
		b.WriteString(pick(chunked+length(len(body)), length(1)+length(2), chunked+chunked, length(len(body)+1), length(len(body)-1),
			"Transfer-Encoding: gzip\r\n", "Transfer-Encoding: Chunked\r\n", "Content-Length: 0x1\r\n", "Content-Length:\r\n") + "\r\n" + body)
	case 2, 3, 4:
		b.WriteString(chunked + connection + pick("", "Trailer: X-T\r\n") + "\r\n")
		for range r.IntN(4) {
			b.WriteString(fmt.Sprintf(pick("%x", "%X", "0%x"), len(body)) + rarely(pick(" ", ";a", ";a=\"b\"", "x"), "") + rarely("\n", "\r\n"))
			b.WriteString(body + rarely(pick("\n", "", "xx"), "\r\n"))
			if body == "" {
				break
			}
		}
		b.WriteString(pick("0\r\n", "0\r\n", "00\r\n", "0;x\r\n", "") + pick("", "X-T: u\r\n", "X-T: u\r\nB : c\r\n", "A:\r\n") + rarely(pick("", "\n"), "\r\n"))
	default:
		b.WriteString(length(len(body)) + connection + "\r\n" + body)
	}
	b.WriteString(rarely(pick("x", ok("evil"), "\r\n"), ""))
	said := []byte(b.String())
	if r.IntN(6) == 0 && len(said) > 0 {
		said[r.IntN(len(said))] = byte(r.IntN(256))
	}
	return said
}

// differential is one API for all cases of a run.
type differential struct {
	api       *wireAPI
	forwarder *forward.Forwarder

	mu    sync.Mutex
	says  []byte // to the next call on any connection; then nil
	hangs bool   // whether the connection stays open behind it
}

func newDifferential(t testing.TB) *differential {
	d := &differential{}
	d.api = serveWire(t, d.serve)
	d.forwarder = newForwarder(t, d.api)
	return d
}

func (d *differential) serve(p *wirePeer) {
	for p.request() != nil {
		d.mu.Lock()
		says, hangs := d.says, d.hangs
		d.says = nil
		d.mu.Unlock()
		if says == nil {
			p.say(ok("the next answer"))
			continue
		}
		_, _ = p.Write(says)
		if !hangs {
			p.finish()
			p.drain()
			return
		}
	}
}

// compare makes one case's calls; it reports whether the first was answered.
func (d *differential) compare(t *testing.T, says []byte, kind uint8) bool {
	if len(says) == 0 {
		return false
	}
	method := []string{"GET", "HEAD", "POST", "PUT"}[kind%4]
	d.mu.Lock()
	d.says, d.hangs = slices.Clone(says), endsItself(says, method)
	d.mu.Unlock()
	got, fields, trailers := d.ask(method)
	if next := get(d.forwarder, "/next"); next.err == nil && next.body != "the next answer" {
		t.Errorf("behind %q the next call got %v", says, next)
	}
	if !got.whole {
		return false
	}
	want, err := viaTransport(says, method)
	switch {
	case err != nil && strings.Contains(err.Error(), "bad trailer key"): // net/http reads the field that announces trailers
		return false
	case err != nil:
		t.Errorf("%s %q: delivered %v, but net/http says: %v", method, says, got, err)
	case got.status != want.StatusCode || got.body != want.body:
		t.Errorf("%s %q: delivered %v, but net/http %d %q", method, says, got, want.StatusCode, want.body)
	case !slices.Equal(fields, fieldsOf(want.Header)):
		t.Errorf("%s %q: fields %q, but net/http %q", method, says, fields, fieldsOf(want.Header))
	case !slices.Equal(trailers, fieldsOf(want.Trailer)):
		t.Errorf("%s %q: trailers %q, but net/http %q", method, says, trailers, fieldsOf(want.Trailer))
	case got.status != 204 && got.status != 304 && got.length != want.ContentLength:
		t.Errorf("%s %q: length %d, but net/http %d", method, says, got.length, want.ContentLength)
	}
	return true
}

// ask is do with fields and trailers in net/http's spelling.
func (d *differential) ask(method string) (o outcome, fields, trailers []string) {
	var ans forward.Response
	if o.err = d.forwarder.Do(newCall(method, "/"), &ans); o.err != nil {
		return o, nil, nil
	}
	defer ans.Close()
	o.status, o.length = ans.Status, ans.Length
	body, err := io.ReadAll(&ans)
	o.body, o.err, o.whole = string(body), err, err == nil
	header, trailer := http.Header{}, http.Header{}
	for _, f := range ans.Fields {
		header.Add(textproto.CanonicalMIMEHeaderKey(string(f.Name)), string(f.Value))
	}
	for _, f := range ans.Trailers() {
		trailer.Add(textproto.CanonicalMIMEHeaderKey(string(f.Name)), string(f.Value))
	}
	return o, fieldsOf(header), fieldsOf(trailer)
}

// fieldsOf lists what both sides keep: net/http takes framing fields out, and
// makes a Cache-Control of Pragma.
func fieldsOf(h http.Header) (list []string) {
	for name, values := range h {
		switch name {
		case "Transfer-Encoding", "Content-Length", "Trailer", "Connection", "Cache-Control":
			continue
		}
		for _, v := range values {
			list = append(list, name+": "+v)
		}
	}
	slices.Sort(list)
	return list
}

// endsItself reports whether says is an answer whose end is known from itself, as
// net/http reads it: then the API may leave the connection open.
func endsItself(says []byte, method string) bool {
	in := bufio.NewReaderSize(bytes.NewReader(says), 64<<10)
	for range 20 {
		answer, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return false
		}
		if answer.StatusCode < 200 && answer.StatusCode != 101 {
			continue
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return err == nil && !answer.Close
	}
	return false
}

type reference struct {
	*http.Response
	body string
}

// viaTransport is what net/http makes of says, followed by the connection's end.
func viaTransport(says []byte, method string) (*reference, error) {
	transport := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return &cannedConn{in: bytes.NewReader(says), asked: make(chan struct{}), closed: make(chan struct{})}, nil
		},
		DisableCompression: true, DisableKeepAlives: true, ReadBufferSize: 64 << 10,
	}
	request, _ := http.NewRequest(method, "http://api.example.net/", nil)
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == 101 {
		return nil, errors.New("protocol switched")
	}
	body, err := io.ReadAll(answer.Body)
	return &reference{answer, string(body)}, err
}

// cannedConn says the same whatever it is asked, once it was asked.
type cannedConn struct {
	in            *bytes.Reader
	asked, closed chan struct{}
	once, end     sync.Once
}

func (c *cannedConn) Read(p []byte) (int, error) {
	select {
	case <-c.asked:
	case <-c.closed:
		return 0, net.ErrClosed
	}
	return c.in.Read(p)
}

func (c *cannedConn) Write(p []byte) (int, error) {
	c.once.Do(func() { close(c.asked) })
	return len(p), nil
}

func (c *cannedConn) Close() error                     { c.end.Do(func() { close(c.closed) }); return nil }
func (c *cannedConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *cannedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *cannedConn) SetDeadline(time.Time) error      { return nil }
func (c *cannedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *cannedConn) SetWriteDeadline(time.Time) error { return nil }
