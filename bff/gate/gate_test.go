package gate_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// server answers behind the gate.
type server struct {
	listener *gate.Listener
	address  string

	mu       sync.Mutex
	seen     []string // heads that came in
	refusals []gate.Refusal
}

// patient lets no time pass; a test that waits for a limit shortens that one.
var patient = gate.Options{Header: 1024, HeaderTimeout: time.Minute, BodyIdle: time.Minute, KeepAlive: time.Minute}

// short is a limit that a test lets pass.
const short = 300 * time.Millisecond

// start serves connections until the test ends. answer gets each request.
func start(t testing.TB, o gate.Options, answer func(*gate.Request) string) *server {
	t.Helper()
	return serving(t, o, func(r *gate.Request) bool {
		text := answer(r)
		out := "HTTP/1.1 200 OK\r\nContent-Length: " + itoa(len(text)) + "\r\n\r\n" + text
		return gate.Send(r.Conn(), time.Now(), []byte(out), nil) == nil && !r.IsLast()
	})
}

// serving serves connections until the test ends.
func serving(t testing.TB, o gate.Options, serve func(*gate.Request) (goesOn bool)) *server {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return servingAt(t, inner, o, serve)
}

// servingAt is serving at a listener that is there.
func servingAt(t testing.TB, inner net.Listener, o gate.Options, serve func(*gate.Request) (goesOn bool)) *server {
	s := &server{address: inner.Addr().String()}
	o.Refused = func(r gate.Refusal) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refusals = append(s.refusals, r)
	}
	o.Serve = func(r *gate.Request) bool {
		s.mu.Lock()
		in := r.Head()
		s.seen = append(s.seen, fmt.Sprintf("%s %s HTTP/1.%d %s", in.Method, in.Target, in.Minor, in.Host))
		s.mu.Unlock()
		return serve(r)
	}
	s.listener = gate.Listen(inner, o)
	go s.listener.Serve() // ends with Close
	t.Cleanup(func() {
		_ = s.listener.Close()
		s.listener.EndIdle()
		<-s.listener.Empty()
		s.listener.Stop()
	})
	return s
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// lingerTime is how long a gate that has answered reads on before it closes.
const lingerTime = 2 * time.Second

// talk sends bytes as they are and returns all that comes back. Where a busy machine took
// longer to send them than the gate reads on, the connection may break off, and talk begins
// anew.
func talk(t testing.TB, s *server, request string) string {
	t.Helper()
	for range 20 {
		begun := time.Now()
		answer, err := said(s, request)
		switch {
		case err == nil:
			return answer
		case time.Since(begun) < lingerTime || errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatal(err)
		}
		s.mu.Lock()
		s.seen, s.refusals = nil, nil
		s.mu.Unlock()
	}
	t.Fatal("nothing was sent in time")
	return ""
}

func said(s *server, request string) (answer string, err error) {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		return "", err
	}
	_ = c.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(c)
	return string(all), err
}

func body(r *gate.Request) string {
	b, err := io.ReadAll(r)
	if err != nil {
		return "error: " + err.Error()
	}
	return "body: " + string(b)
}

// TestRefusals: what is malformed gets a fixed answer that repeats none of it, the
// connection ends, and nothing comes in.
func TestRefusals(t *testing.T) {
	const mark = "s3cr3t"
	host := "Host: x\r\n"
	cases := []struct {
		name, request, status, code string
	}{
		{"bare LF in the request line", "GET /" + mark + " HTTP/1.1\n" + host + "\r\n", "400", "bad_request"},
		{"bare LF in a field", "GET / HTTP/1.1\r\n" + host + "Cookie: " + mark + "\n\r\n", "400", "bad_request"},
		{"bare LF at the end", "GET / HTTP/1.1\r\n" + host + "\n", "400", "bad_request"},
		{"bare CR in a value", "GET / HTTP/1.1\r\n" + host + "A: " + mark + "\rb\r\n\r\n", "400", "bad_request"},
		{"NUL in a value", "GET / HTTP/1.1\r\n" + host + "A: " + mark + "\x00\r\n\r\n", "400", "bad_request"},
		{"control byte in a value", "GET / HTTP/1.1\r\n" + host + "Cookie: " + mark + "\x01\r\n\r\n", "400", "bad_request"},
		{"folded line", "GET / HTTP/1.1\r\n" + host + "A: " + mark + "\r\n b\r\n\r\n", "400", "bad_request"},
		{"fold on the first line", "GET / HTTP/1.1\r\n " + mark + ": b\r\n" + host + "\r\n", "400", "bad_request"},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400", "bad_request"},
		{"space inside a name", "GET / HTTP/1.1\r\n" + host + "Transfer- Encoding: chunked\r\n\r\n", "400", "bad_request"},
		{"empty name", "GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n", "400", "bad_request"},
		{"no colon", "GET / HTTP/1.1\r\n" + host + mark + "\r\n\r\n", "400", "bad_request"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", "bad_request"},
		{"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", "400", "bad_request"},
		{"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", "400", "bad_request"},
		{"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400", "bad_request"},
		{"Host with a user", "GET / HTTP/1.1\r\nHost: user@x\r\n\r\n", "400", "bad_request"},
		{"Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", "400", "bad_request"},
		{"Host that is not ASCII", "GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", "400", "bad_request"},
		{"Host with a strange port", "GET / HTTP/1.1\r\nHost: x:80a\r\n\r\n", "400", "bad_request"},
		{"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400", "bad_request"},
		{"the same length twice", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "400", "bad_request"},
		{"list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1, 1\r\n\r\na", "400", "bad_request"},
		{"signed length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n\r\na", "400", "bad_request"},
		{"hexadecimal length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x1\r\n\r\na", "400", "bad_request"},
		{"endless length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 9999999999999999999999\r\n\r\na", "400", "bad_request"},
		{"length and chunked", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "bad_request"},
		{"other coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400", "bad_request"},
		{"coding list", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400", "bad_request"},
		{"identity", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na", "400", "bad_request"},
		{"chunked twice", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "bad_request"},
		{"chunked in 1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "bad_request"},
		{"version 0.9", "GET / HTTP/0.9\r\n" + host + "\r\n", "400", "bad_request"},
		{"version 2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", "400", "bad_request"},
		{"version 9.9", "GET / HTTP/9.9\r\n" + host + "\r\n", "400", "bad_request"},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "bad_request"},
		{"other protocol", "GET / ICE/1.0\r\n" + host + "\r\n", "400", "bad_request"},
		{"no version", "GET /\r\n" + host + "\r\n", "400", "bad_request"},
		{"space in the target", "GET /" + mark + " y HTTP/1.1\r\n" + host + "\r\n", "400", "bad_request"},
		{"tab in the target", "GET /a\tb HTTP/1.1\r\n" + host + "\r\n", "400", "bad_request"},
		{"target that is not ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n" + host + "\r\n", "400", "bad_request"},
		{"DEL in the target", "GET /\x7f HTTP/1.1\r\n" + host + "\r\n", "400", "bad_request"},
		{"method with a control byte", "G\x01T / HTTP/1.1\r\n" + host + "\r\n", "400", "bad_request"},
		{"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n", "400", "bad_request"},
		{"TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400", "bad_request"},
		{"head that breaks off", "GET / HTTP/1.1\r\n" + host, "400", "bad_request"},
		{"CONNECT", "CONNECT x:443 HTTP/1.1\r\n" + host + "\r\n", "405", "method_not_allowed"},
		{"TRACE", "TRACE / HTTP/1.1\r\n" + host + "Cookie: " + mark + "\r\n\r\n", "405", "method_not_allowed"},
		{"unknown method", "PROPFIND / HTTP/1.1\r\n" + host + "\r\n", "405", "method_not_allowed"},
		{"lower-case method", "get / HTTP/1.1\r\n" + host + "\r\n", "405", "method_not_allowed"},
		{"unknown expectation", "POST / HTTP/1.1\r\n" + host + "Expect: " + mark + "\r\nContent-Length: 1\r\n\r\na", "417", "expectation_failed"},
		{"long target", "GET /" + strings.Repeat("a", 2000) + " HTTP/1.1\r\n" + host + "\r\n", "431", "headers_too_large"},
		{"long field", "GET / HTTP/1.1\r\n" + host + "A: " + strings.Repeat("a", 2000) + "\r\n\r\n", "431", "headers_too_large"},
		{"many fields", "GET / HTTP/1.1\r\n" + host + strings.Repeat("a:\r\n", 257) + "\r\n", "431", "headers_too_large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := patient
			if c.name == "many fields" {
				o.Header = 16 << 10
			}
			s := start(t, o, body)
			got := talk(t, s, c.request+"GET /next HTTP/1.1\r\n"+host+"\r\n")
			if !strings.HasPrefix(got, "HTTP/1.1 "+c.status+" ") || !strings.Contains(got, "\r\nCoatcheck-Error: "+c.code+"\r\n") {
				t.Errorf("answer: %q", got)
			}
			if strings.Contains(got, mark) || strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "\r\nConnection: close\r\n") {
				t.Errorf("answer repeats the request, or the connection went on: %q", got)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.seen) != 0 || len(s.refusals) != 1 || s.refusals[0].Code != c.code || strings.Contains(s.refusals[0].Cause.Error(), mark) {
				t.Errorf("came in: %q, refusals: %+v", s.seen, s.refusals)
			}
		})
	}
}

// TestWellFormed: what is well-formed comes in, and the web server is shown nothing
// of it but method, version, and whether the connection goes on.
func TestWellFormed(t *testing.T) {
	cases := []struct{ name, request, seen, answer string }{
		{"GET", "GET /a?b#c HTTP/1.1\r\nhost: X:80\r\nCookie: a\r\n\r\n", "GET /a?b#c HTTP/1.1 X:80", "body: "},
		{"one empty line first", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1 x", "body: "},
		{"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "GET / HTTP/1.1 [::1]:8080", "body: "},
		{"absolute target", "GET http://evil/x HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://evil/x HTTP/1.1 x", "body: "},
		{"length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "POST / HTTP/1.1 x", "body: abc"},
		{"chunks", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nCookie: evil\r\n\r\n", "POST / HTTP/1.1 x", "body: abc0123456789"},
		{"last of its connection", "DELETE /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "DELETE /a HTTP/1.1 x", "body: "},
		{"old", "GET /a HTTP/1.0\r\nHost: x\r\n\r\n", "GET /a HTTP/1.0 x", "body: "},
		{"old, kept", "GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "GET /a HTTP/1.0 x", "body: "},
		{"name with underscore", "GET / HTTP/1.1\r\nHost: x\r\nX_A: b\r\n\r\n", "GET / HTTP/1.1 x", "body: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, patient, body)
			got := talk(t, s, c.request)
			if !strings.HasSuffix(got, "\r\n\r\n"+c.answer) {
				t.Errorf("answer: %q", got)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.seen) != 1 || s.seen[0] != c.seen {
				t.Errorf("came in: %q, want %q", s.seen, c.seen)
			}
		})
	}
}

// TestPipelining: requests on one connection are answered in order, bodies between them.
func TestPipelining(t *testing.T) {
	s := start(t, patient, func(r *gate.Request) string { return string(r.Head().Target) + "=" + body(r) })
	got := talk(t, s, "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"+
		"POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\nPOST /4 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nde"+
		"POST /5 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nf\r\n0\r\n\r\nGET /6 HTTP/1.1\r\nHost: x\r\n\r\n")
	for _, want := range []string{"/1=body: ab", "/2=body: ", "/3=body: c", "/4=body: de", "/5=body: f", "/6=body: "} {
		i := strings.Index(got, want)
		if i < 0 {
			t.Fatalf("no %q in %q", want, got)
		}
		got = got[i+len(want):]
	}
}

// TestUnreadBodyEndsConnection: the rest of a body is never taken for a request.
func TestUnreadBodyEndsConnection(t *testing.T) {
	s := start(t, patient, func(*gate.Request) string { return "refused" })
	smuggled := "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	got := talk(t, s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat(smuggled, 50))
	if strings.Count(got, "HTTP/1.1 200") != 1 {
		t.Errorf("answers: %q", got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) != 1 {
		t.Errorf("came in: %q", s.seen)
	}
}

// TestSmallUnreadBodyIsSkipped: a refused sign-in does not cost the connection.
func TestSmallUnreadBodyIsSkipped(t *testing.T) {
	s := start(t, patient, func(*gate.Request) string { return "refused" })
	got := talk(t, s, "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcdGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 200") != 2 {
		t.Errorf("answers: %q", got)
	}
}

// TestExpectation: the client is invited when the body is wanted, and not before.
func TestExpectation(t *testing.T) {
	request := "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
	for _, wanted := range []bool{true, false} {
		s := start(t, patient, func(r *gate.Request) string {
			if wanted {
				return body(r)
			}
			return "no"
		})
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(c, request)
		in := bufio.NewReader(c)
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "HTTP/1.1 100 Continue\r\n", false: "HTTP/1.1 200 OK\r\n"}[wanted]; line != want {
			t.Errorf("wanted %v: %q", wanted, line)
		}
		if wanted {
			_, _ = io.WriteString(c, "abc")
			_ = c.(*net.TCPConn).CloseWrite()
			rest, _ := io.ReadAll(in)
			if !strings.HasSuffix(string(rest), "body: abc") {
				t.Errorf("answer: %q", rest)
			}
		}
		_ = c.Close()
	}
}

// TestSlowHead: a head that does not come in time is answered 408.
func TestSlowHead(t *testing.T) {
	o := patient
	o.HeaderTimeout = short
	s := start(t, o, body)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n")
	got, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(got), "HTTP/1.1 408 ") {
		t.Errorf("answer: %q", got)
	}
}

// TestSilentConnection: who never asks is never answered.
func TestSilentConnection(t *testing.T) {
	o := patient
	o.KeepAlive = short
	s := start(t, o, body)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	got, err := io.ReadAll(c)
	if len(got) != 0 || err != nil {
		t.Errorf("answer: %q, %v", got, err)
	}
}

// TestBodies: a body that is too large, silent, broken or cut short is distinguished.
func TestBodies(t *testing.T) {
	cases := []struct {
		name, request string
		hold          bool
		want          error
	}{
		{"too large", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n", false, gate.ErrBodyTooLarge},
		{"silent", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na", true, gate.ErrBodyTimeout},
		{"cut short", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na", false, gate.ErrBodyBroken},
		{"chunks cut short", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false, gate.ErrBodyBroken},
		{"bare LF in a chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", false, gate.ErrBodyBroken},
		{"sign in a chunk size", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", false, gate.ErrBodyBroken},
		{"underscore in a chunk size", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0_3\r\nabc\r\n0\r\n\r\n", false, gate.ErrBodyBroken},
		{"chunk without its end", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", false, gate.ErrBodyBroken},
		{"huge chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc", false, gate.ErrBodyBroken},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			result := make(chan error, 1)
			o := patient
			if c.hold {
				o.BodyIdle = short
			}
			s := start(t, o, func(r *gate.Request) string {
				r.LimitBody(16)
				_, err := io.ReadAll(r)
				result <- err
				return ""
			})
			if c.hold {
				conn, err := net.Dial("tcp", s.address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, c.request)
			} else {
				talk(t, s, c.request)
			}
			if err := <-result; !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestBrowserLeaves: work is told when the browser left, and not when it did not.
func TestBrowserLeaves(t *testing.T) {
	working, left, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := start(t, patient, func(r *gate.Request) string {
		if string(r.Head().Target) == "/short" {
			r.Conn().Working(func() { t.Error("a browser that stayed was said to have left") })
			r.Conn().Idle()
			return "short"
		}
		r.Conn().Working(func() { close(left) })
		defer r.Conn().Idle()
		close(working)
		<-release
		return ""
	})
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
	<-working
	_ = c.Close()
	select {
	case <-left:
	case <-time.After(time.Minute):
		t.Error("nobody noticed that the browser left")
	}
	close(release)
}
