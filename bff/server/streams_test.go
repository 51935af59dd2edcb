package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coatcheck/bff/rig"
)

// open a connection that stays, send a request, and return what reads the answer.
func (h *house) stream(request string) (net.Conn, *http.Response) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, request)
	got, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return c, got
}

// ticker answers with events until the caller leaves, one each time next is sent to.
func ticker(next <-chan struct{}, left chan<- struct{}) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for n := 1; ; n++ {
			select {
			case <-next:
				fmt.Fprintf(w, "data: %d\n\n", n)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				close(left)
				return
			}
		}
	}
}

// TestEventsArriveOneByOne: the head comes before the first event, and each event
// before the next is sent.
func TestEventsArriveOneByOne(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	next, left := make(chan struct{}), make(chan struct{})
	h.api.Say(ticker(next, left))
	c, got := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
	if got.StatusCode != 200 || got.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("answer: %d %v", got.StatusCode, got.Header)
	}
	in := bufio.NewReader(got.Body)
	for n := 1; n <= 3; n++ {
		next <- struct{}{}
		if line, err := in.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", n) {
			t.Fatalf("event %d: %q, %v", n, line, err)
		}
		_, _ = in.ReadString('\n')
	}
	_ = c.Close() // the browser leaves, and the API is silent
	wait(t, "the API to be left", left)
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Fatalf("waited in vain for %s", what)
	}
}

// TestBrowserLeavesSilentAPI: a call that the API has not answered ends with the browser.
func TestBrowserLeavesSilentAPI(t *testing.T) {
	h := open(t, settings{edit: func(s string) string { return replaced(s, "header_timeout: 60s", "header_timeout: 10m") }})
	cookie := h.signIn("ada@x.test")
	began, left := make(chan struct{}), make(chan struct{})
	h.api.Say(func(_ http.ResponseWriter, r *http.Request) { close(began); <-r.Context().Done(); close(left) })
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET /api/x HTTP/1.1\r\nHost: shop.example.com\r\n"+cookie+"\r\n\r\n")
	wait(t, "the API to be asked", began)
	_ = c.Close()
	wait(t, "the API to be left", left)
	rig.Until(t, "a line that says 499", func() bool { return strings.Contains(h.logs.String(), `"status":499`) })
}

// TestSignOutEndsStream: a stream ends with its session, unfinished, on every
// replica; one of another session goes on.
func TestSignOutEndsStream(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			ada, bob := h.signIn("ada@x.test"), h.signIn("bob@x.test")
			next, left := make(chan struct{}), make(chan struct{})
			h.api.Say(ticker(next, left))
			_, got := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + ada + "\r\n\r\n")
			others, othersLeft := make(chan struct{}), make(chan struct{})
			h.api.Say(ticker(others, othersLeft))
			_, other := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + bob + "\r\n\r\n")
			h.api.Say(nil)
			h.want(h.call("POST /bff/logout", ada, shop, xcsrf), 204, "")
			wait(t, "the API to be left", left)
			if b, err := io.ReadAll(got.Body); err == nil {
				t.Errorf("the stream was ended as if it were complete: %q", b)
			}
			others <- struct{}{}
			if line, err := bufio.NewReader(other.Body).ReadString('\n'); err != nil || line != "data: 1\n" {
				t.Errorf("the other person's stream: %q, %v", line, err)
			}
		})
	}
}

// TestBrokenAnswer: an answer that breaks off is never completed.
func TestBrokenAnswer(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	for name, head := range map[string]string{"chunked": "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "length": "Content-Length: 100000\r\n\r\nhello"} {
		begun := make(chan struct{})
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			c, b, _ := w.(http.Hijacker).Hijack()
			_, _ = b.WriteString("HTTP/1.1 200 OK\r\n" + head)
			_ = b.Flush()
			<-begun // else there would be no head of an answer that breaks off at once
			_ = c.Close()
		})
		_, got := h.stream("GET /api/x HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
		close(begun)
		if b, err := io.ReadAll(got.Body); err == nil || string(b) != "hello" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// TestLargeBodies: bodies stream both ways.
func TestLargeBodies(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	const size = 8 << 20
	for _, framing := range []string{"Content-Length: 8388608", "Transfer-Encoding: chunked"} {
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		h.api.Say(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		go func() { // ends with the body
			_, _ = io.WriteString(c, "POST /api/long/x HTTP/1.1\r\nHost: shop.example.com\r\n"+cookie+"\r\n"+shop+"\r\n"+xcsrf+"\r\n"+framing+"\r\n\r\n")
			part := strings.Repeat("0123456789abcdef", 4096)
			for range size / len(part) {
				if framing[0] == 'T' {
					fmt.Fprintf(c, "%x\r\n%s\r\n", len(part), part)
				} else {
					_, _ = io.WriteString(c, part)
				}
			}
			if framing[0] == 'T' {
				_, _ = io.WriteString(c, "0\r\n\r\n")
			}
		}()
		got, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, got.Body)
		if n != size || err != nil {
			t.Errorf("%s: %d bytes came back, %v", framing, n, err)
		}
		_ = c.Close()
	}
}

// TestEarlyAnswer: an API that refuses an upload before its end is heard.
func TestEarlyAnswer(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, _ := w.(http.Hijacker).Hijack()
		_, _ = b.WriteString("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
		_ = b.Flush()
		_ = c.Close()
	})
	// The recording API reads whole bodies; this body never ends, so answer without.
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	go func() { // ends with its listener
		for {
			c, err := raw.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			_ = c.(*net.TCPConn).CloseWrite()
			go func() { _, _ = io.Copy(io.Discard, c); _ = c.Close() }() // ends with the connection
		}
	}()
	other := open(t, settings{edit: func(s string) string {
		return replaced(s, "http://127.0.0.1:1", "http://"+raw.Addr().String())
	}})
	c, err := net.Dial("tcp", other.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "POST /gone/x HTTP/1.1\r\nHost: shop.example.com\r\n"+shop+"\r\n"+xcsrf+"\r\nContent-Length: 33000000\r\n\r\n")
	go func() { // ends when the connection does
		part := strings.Repeat("x", 32<<10)
		for {
			if _, err := io.WriteString(c, part); err != nil {
				return
			}
		}
	}()
	got, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if got.StatusCode != 413 || string(body) != "no" || err != nil || !got.Close {
		t.Errorf("answer: %d %q, close %v, %v", got.StatusCode, body, got.Close, err)
	}
	_ = cookie
}

// TestWebSocket: frames pass both ways, with the token and without the cookie.
func TestWebSocket(t *testing.T) {
	h := open(t, settings{store: redisURL})
	cookie := h.signIn("ada@x.test")
	echo := func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, b) != nil {
				return
			}
		}
	}
	h.api.Say(echo)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dial := func(headers ...string) (*websocket.Conn, *http.Response, error) {
		set := http.Header{}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			set.Add(name, value)
		}
		return websocket.Dial(ctx, "ws://"+h.address+"/api/long/ws", &websocket.DialOptions{Host: "shop.example.com", HTTPHeader: set, Subprotocols: []string{"chat"}})
	}
	c, answer, err := dial(cookie, shop)
	if err != nil {
		t.Fatalf("%v\n%s", err, h.logs)
	}
	defer c.CloseNow()
	if answer.Header.Get("Sec-WebSocket-Protocol") != "chat" {
		t.Errorf("101: %v", answer.Header)
	}
	if in := h.api.Last(t); in.Header.Get("Cookie") != "" || in.Header.Get("Authorization") != "Bearer "+rig.TokenMark+"1" || in.Header.Get("Origin") != "" {
		t.Errorf("API saw %v", in.Header)
	}
	for _, size := range []int{0, 1, 125, 126, 30_000} {
		if err := c.Write(ctx, websocket.MessageBinary, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if _, b, err := c.Read(ctx); err != nil || len(b) != size {
			t.Fatalf("frame of %d bytes came back with %d, %v", size, len(b), err)
		}
	}
	for name, headers := range map[string][]string{"sibling": {cookie, desk}, "no origin": {cookie}, "nobody": {shop}} {
		if _, got, err := dial(headers...); err == nil || got == nil || got.StatusCode < 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
	inTime(t, func() (late bool, fault string) {
		h.api.Say(nil)
		cookie := h.signIn("ada@x.test")
		h.api.Say(echo)
		c, _, err := dial(cookie, shop)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		begun := time.Now()
		h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "")
		if _, _, err = c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			fault = fmt.Sprintf("after sign-out: %v", err)
		}
		return time.Since(begun) >= closePatience, fault
	})
}

// handshake is one that a browser sends, with the given Connection field.
func handshake(cookie, connection string) string {
	return "GET /api/long/ws HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n" + shop + "\r\nConnection: " + connection +
		"\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
}

// TestWebSocketThatNeverBegins: the web server ends the connection before the tunnel
// could begin. Nothing stays open for it, and the drain does not wait.
func TestWebSocketThatNeverBegins(t *testing.T) {
	h := open(t, settings{edit: func(s string) string { return "drain: {timeout: 20ms}\n" + s }})
	cookie := h.signIn("ada@x.test")
	came, answer, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, _ := w.(http.Hijacker).Hijack()
		close(came)
		<-answer
		_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		_ = b.Flush()
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
		close(left)
	})
	h.want(h.raw(handshake(cookie, "close, Upgrade"), false), 400, "bad_request")
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, handshake(cookie, "Upgrade"))
	wait(t, "the handshake at the API", came)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.server.Shutdown(ctx) }() // ends with the calls at work
	rig.Until(t, "a closed listener", func() bool { // then the web server is asked to stop at any moment
		probe, err := net.Dial("tcp", h.address)
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	})
	time.Sleep(100 * time.Millisecond) // too short only makes the test see less
	close(answer)
	wait(t, "the end of the connection to the API", left)
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestUnaskedUpgrade: h2c is dropped, and a 101 that answers another handshake is refused.
func TestUnaskedUpgrade(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	h.want(h.call("GET /api/x", cookie, sameOrign, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), 200, "")
	if in := h.api.Last(t); in.Header.Get("Upgrade")+in.Header.Get("Http2-Settings") != "" {
		t.Errorf("API saw %v", in.Header)
	}
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, _ := w.(http.Hijacker).Hijack()
		_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		_ = b.Flush()
		_ = c.Close()
	})
	got := h.raw(handshake(cookie, "Upgrade"), false)
	h.want(got, 502, "upstream_invalid")
	h.want(h.call("GET /api/x", cookie, sameOrign), 502, "upstream_invalid")
}

// TestConnectionsAtMost: max_connections bounds what is open to an API, streams
// included; a call that finds no place is told so, and finds one once a stream ended.
func TestConnectionsAtMost(t *testing.T) {
	left := make(chan struct{}, 1)
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, `url: "${API}"`, `url: "${API}"`+"\n    connect_timeout: 1s\n    max_connections: 1")
	}})
	h.api.Say(ticker(nil, left))
	var c net.Conn
	rig.Until(t, "a connection within connect_timeout", func() bool {
		var got *http.Response
		c, got = h.stream("GET /open/events HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		return got.StatusCode == 200
	})
	h.api.Say(nil)
	for range 12 { // often enough to open a breaker that would count it
		got := h.call("GET /open/x")
		h.want(got, 503, "upstream_unavailable")
		if got.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
		}
	}
	if !strings.Contains(h.logs.String(), "all of max_connections are in use") || h.server.Transports()["api"].BreakerOpen {
		t.Errorf("the log does not say why, or the API was blamed: %+v", h.server.Transports()["api"])
	}
	_ = c.Close()
	wait(t, "the end of the call to the API", left)
	rig.Until(t, "a place", func() bool { return h.call("GET /open/x").StatusCode == 200 })
}

// TestFirstBytesGoOut: the head of an answer, and what of its body came with it, wait
// for nothing else of the API, however the body is framed and however small it is.
func TestFirstBytesGoOut(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	for name, row := range map[string]struct{ head, first, rest string }{
		"length":               {"Content-Length: 10\r\n\r\n", "hello", "world"},
		"length, no byte":      {"Content-Length: 10\r\n\r\n", "", "helloworld"},
		"length, event stream": {"Content-Type: text/event-stream\r\nContent-Length: 11\r\n\r\n", "data: a\n\n", ": "},
		"chunked":              {"Transfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n"},
		"chunked, no byte":     {"Transfer-Encoding: chunked\r\n\r\n", "", "5\r\nhello\r\n0\r\n\r\n"},
		"to the end":           {"\r\n", "hello", "world"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan struct{})
			h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
				c, b, _ := w.(http.Hijacker).Hijack()
				defer c.Close()
				_, _ = b.WriteString("HTTP/1.1 200 OK\r\n" + row.head + row.first)
				_ = b.Flush()
				<-seen // nothing more before the browser has all of that
				_, _ = io.WriteString(c, row.rest)
			})
			_, got := h.stream("GET /api/x HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
			want := row.first
			if strings.HasPrefix(want, "5\r\n") {
				want = "hello"
			}
			first := make([]byte, len(want))
			if _, err := io.ReadFull(got.Body, first); err != nil || string(first) != want {
				t.Errorf("%q, %v", first, err)
			}
			close(seen)
			if _, err := io.ReadAll(got.Body); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBrokenAnswerToOldCaller: to a caller of HTTP/1.0 the end of the connection is the
// end of the answer. One that breaks off must look otherwise, over TLS too.
func TestBrokenAnswerToOldCaller(t *testing.T) {
	certificates := httptest.NewTLSServer(nil)
	defer certificates.Close()
	config := &tls.Config{Certificates: certificates.TLS.Certificates}
	secure := func(l net.Listener) net.Listener { return tls.NewListener(l, config) }
	for name, wrap := range map[string]func(net.Listener) net.Listener{"plain": nil, "TLS": secure} {
		for how, row := range map[string]struct {
			rest  string
			whole bool
		}{
			"whole":            {"0\r\n\r\n", true},
			"without its end":  {"", false},
			"malformed behind": {"x\r\n", false},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				h, begun := open(t, settings{wrap: wrap}), make(chan struct{})
				h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
					c, b, _ := w.(http.Hijacker).Hijack()
					_, _ = b.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
					_ = b.Flush()
					<-begun // else there would be no head of an answer that breaks off at once
					_, _ = io.WriteString(c, row.rest)
					_ = c.Close()
				})
				c, err := net.Dial("tcp", h.address)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				if wrap != nil {
					c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test's own server
				}
				_, _ = io.WriteString(c, "GET /open/x HTTP/1.0\r\nHost: shop.example.com\r\n\r\n")
				in := bufio.NewReader(c)
				_, _ = in.Peek(1)
				close(begun)
				got, err := io.ReadAll(in)
				if errors.Is(err, os.ErrDeadlineExceeded) || (err == nil) != row.whole || row.whole && !strings.HasSuffix(string(got), "\r\n\r\nhello") {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
	}
}
