package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coatcheck/bff/rig"
)

// feed is an API that answers with events, piece by piece as it is told; it ends with its
// one caller.
type feed struct {
	parts chan string
	left  chan struct{} // closed at its end
}

func newFeed() feed { return feed{make(chan string), make(chan struct{})} }

func (f feed) serve(w http.ResponseWriter, r *http.Request) {
	defer close(f.left)
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		select {
		case part := <-f.parts:
			_, _ = io.WriteString(w, part)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// send gives a part to an API that may have been left, and takes nothing then.
func (f feed) send(part string) {
	if part == "" {
		return
	}
	select {
	case f.parts <- part:
	case <-f.left:
	}
}

// events opens a stream of events and reads its head.
func (h *house) events(cookie string, from feed) *http.Response {
	h.t.Helper()
	h.api.Say(from.serve)
	defer h.api.Say(nil)
	_, got := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
	return got
}

func (h *house) read(body io.Reader, want string) {
	h.t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(body, b); err != nil || string(b) != want {
		h.t.Fatalf("read %q, %v; want %q", b, err, want)
	}
}

// TestStreamEndsBetweenEvents: a dead session ends a stream behind the event under
// way, however lines end, and never inside of it; one that never ends is cut.
func TestStreamEndsBetweenEvents(t *testing.T) {
	for name, c := range map[string]struct{ begin, more, want string }{
		"between":      {"data: 1\n\n", "", "data: 1\n\n"},
		"inside, LF":   {"data: 1\n\ndata: 2", "2\n\ndata: 3\n\n", "data: 1\n\ndata: 22\n\n"},
		"inside, CRLF": {"data: 1\r\n\r\ndata: 2\r\n", "\r\ndata: 3\r\n\r\n", "data: 1\r\n\r\ndata: 2\r\n\r"},
		"inside, CR":   {"data: 1\r\rdata: 2\r", "\rdata: 3\r\r", "data: 1\r\rdata: 2\r\r"},
		"never ends":   {"data: 1\n\ndata: 2", "", "data: 1\n\ndata: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() (late bool, fault string) {
				rest, took, err := endedStream(t, c.begin, c.more)
				if err == nil {
					t.Error("the stream was ended as if it were complete")
				}
				late = c.more != "" && rest == "" && took >= lastWrite // the rest of the event was not waited for
				return late, mismatch("the browser read", c.begin+rest, c.want)
			})
		})
	}
}

// endedStream signs out while a stream runs, lets the API send more, and returns what the
// browser still read, and how long all of that took.
func endedStream(t *testing.T, begin, more string) (rest string, took time.Duration, err error) {
	t.Helper()
	h := open(t, settings{})
	cookie, api := h.signIn("ada@x.test"), newFeed()
	got := h.events(cookie, api)
	api.send(begin)
	h.read(got.Body, begin)
	begun := time.Now()
	h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "")
	api.send(more)
	b, err := io.ReadAll(got.Body)
	return string(b), time.Since(begun), err
}

// TestDrainEndsStreams: event streams end between two events, WebSockets with 1001,
// and the drain does not wait for pages that would never leave.
func TestDrainEndsStreams(t *testing.T) {
	inTime(t, func() (late bool, fault string) {
		h := open(t, settings{})
		cookie, api := h.signIn("ada@x.test"), newFeed()
		got := h.events(cookie, api)
		api.send("data: 1\n\ndata: 2")
		h.read(got.Body, "data: 1\n\ndata: 2")
		h.api.Say(func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
			if err == nil {
				_, _, _ = c.Read(r.Context())
			}
		})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		set := http.Header{"Origin": {"https://shop.example.com"}, "Cookie": {strings.TrimPrefix(cookie, "Cookie: ")}}
		ws, _, err := websocket.Dial(ctx, "ws://"+h.address+"/api/long/ws", &websocket.DialOptions{Host: "shop.example.com", HTTPHeader: set})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		ended, begun := make(chan error, 1), time.Now()
		go func() { ended <- h.server.Shutdown(ctx) }() // ends with the last stream
		if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			late, fault = time.Since(begun) >= closePatience, fmt.Sprintf("WebSocket: %v", err)
		}
		api.send("\n\ndata: 3\n\n")
		rest, err := io.ReadAll(got.Body)
		switch {
		case err == nil:
			t.Error("the stream was ended as if it were complete")
		case fault != "", string(rest) == "\n\ndata: 3\n\n": // WebSockets end first: it was between two events then
		default:
			late = len(rest) == 0 && time.Since(begun) >= lastWrite // the rest of the event was not waited for
			fault = mismatch("the browser read", string(rest), "\n\n")
		}
		if err := <-ended; err != nil {
			t.Errorf("shutdown: %v", err)
		}
		return late, fault
	})
}

// writeAt makes the API answer with these bytes and close.
func writeAt(a *rig.API, text string) {
	a.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, _ := w.(http.Hijacker).Hijack()
		_, _ = b.WriteString(text)
		_ = b.Flush()
		_ = c.Close()
	})
}

// all sends bytes, and returns all that comes until the connection ends.
func (h *house) all(request string) (string, error) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, request)
	b, err := io.ReadAll(c)
	return string(b), err
}

// TestOldCallers: to a caller of HTTP/1.0 nothing is chunked, and a body that broke
// off does not look complete.
func TestOldCallers(t *testing.T) {
	h := open(t, settings{})
	const request = "GET /open/x HTTP/1.0\r\nHost: shop.example.com\r\n\r\n"
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat("x", 100_000)
	for name, c := range map[string]struct{ answer, body string }{
		"chunked":           {chunked + "5\r\nhello\r\n0\r\n\r\n", "hello"},
		"chunked and large": {fmt.Sprintf("%s%x\r\n%s\r\n0\r\n\r\n", chunked, len(long), long), long},
		"until the end":     {"HTTP/1.0 200 OK\r\n\r\n" + long, long},
		"length":            {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
	} {
		writeAt(h.api, c.answer)
		got, err := h.all(request)
		head, body, _ := strings.Cut(got, "\r\n\r\n")
		if err != nil || !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || strings.Contains(head, "Transfer-Encoding") || body != c.body ||
			!strings.Contains(head, "X-Request-Id: ") {
			t.Errorf("%s: %.300q, %v", name, got, err)
		}
	}
	writeAt(h.api, chunked+"5\r\nhello\r\n")
	if got, err := h.all(request); err == nil && !strings.Contains(got, " 502 ") {
		t.Errorf("a body that broke off came as if it were complete: %q", got)
	}
}

// onlyInHeads wants those trailers to stay behind that mean something only in a head, that
// are changed there, or that belong to the connection, and others to be named once.
func (h *house) onlyInHeads() {
	h.t.Helper()
	for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Range", "Content-Disposition", "Content-Location", "Link", "Location",
		"Authorization", "Cookie", "Host", "Expires", "Retry-After", "X-Hop", "Keep-Alive", "Transfer-Encoding"} {
		writeAt(h.api, "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, "+name+", x-sum\r\n\r\n0\r\n"+
			name+": v\r\nX-Sum: 7\r\n\r\n")
		got, err := h.all("GET /open/x HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n")
		if err != nil || !strings.Contains(got, "\r\nTrailer: X-Sum\r\n") || !strings.HasSuffix(got, "\r\n\r\n0\r\nX-Sum: 7\r\n\r\n") {
			h.t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestTrailers: those that the API announced pass, filtered like headers; and a
// browser's own go nowhere.
func TestTrailers(t *testing.T) {
	h := open(t, settings{})
	for size, names := range map[string]string{"5\r\nhello": "X-Sum, Set-Cookie, X_Sum, Vary, Coatcheck-Error, Content-Length", "2\r\nab\r\n1\r\nc": "x-sum"} {
		writeAt(h.api, "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: "+names+"\r\n\r\n"+size+
			"\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\nX_Sum: 8\r\nVary: X\r\nCoatcheck-Error: x\r\nX-Unannounced: 9\r\n\r\n")
		c, got := h.stream("GET /open/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		_, err := io.ReadAll(got.Body)
		if err != nil || len(got.Trailer) != 1 || got.Trailer.Get("X-Sum") != "7" {
			t.Errorf("%s: trailers %v, %v", names, got.Trailer, err)
		}
		_ = c.Close()
	}
	h.onlyInHeads()
	h.api.Say(nil)
	h.want(h.call("POST /hook/x\n\n5\r\nhello\r\n0\r\nX-Role: admin\r\nAuthorization: x\r\n\r\n", "Transfer-Encoding: chunked", json_), 200, "")
	if in := h.api.Last(t); in.Body != "hello" || in.Header.Get("X-Role")+in.Header.Get("Authorization") != "" {
		t.Errorf("the API saw %v", in)
	}
}

// TestBodyless: answers that have no body by rule keep the connection in step.
func TestBodyless(t *testing.T) {
	h := open(t, settings{})
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(c)
	for _, step := range []struct {
		method, answer string
		status         int
		length         int64
	}{
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", 200, 12345},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, 0},
		{"GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", 304, 0},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, -1},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 2},
	} {
		writeAt(h.api, step.answer)
		_, _ = io.WriteString(c, step.method+" /open/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		got, err := http.ReadResponse(in, &http.Request{Method: step.method})
		if err != nil || got.StatusCode != step.status || got.ContentLength != step.length && step.length >= 0 {
			t.Fatalf("%+v: %v, %v", step, got, err)
		}
		b, err := io.ReadAll(got.Body)
		if want := map[int64]int{2: 2}[step.length]; err != nil || len(b) != want {
			t.Fatalf("%+v: body %q, %v", step, b, err)
		}
	}
}

// TestExpectContinue: a body that waits for leave gets it, and is not asked for where
// nobody will take it.
func TestExpectContinue(t *testing.T) {
	h := open(t, settings{})
	for _, c := range []struct {
		path, length string
		first        string
	}{
		{"/hook/x", "Content-Length: 5", "HTTP/1.1 100 Continue\r\n"},
		{"/hook/x", "Content-Length: 99999999999", "HTTP/1.1 413 "},
		{"/nowhere", "Content-Length: 5", "HTTP/1.1 403 "},
	} {
		conn, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, "POST "+c.path+" HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"+c.length+"\r\n\r\n")
		in := bufio.NewReader(conn)
		line, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, c.first) {
			t.Errorf("%s %s: %q, %v", c.path, c.length, line, err)
		}
		if strings.Contains(line, " 100 ") {
			_, _ = in.ReadString('\n')
			_, _ = io.WriteString(conn, "hello")
			got, err := http.ReadResponse(in, nil)
			if err != nil || got.StatusCode != 200 || h.api.Last(t).Body != "hello" {
				t.Errorf("behind 100: %v, %v", got, err)
			}
		}
		_ = conn.Close()
	}
}

// TestEventsEnd: a stream of events arrives whole, has a last chunk only where the API's has
// one, and leaves its connection to the next call.
func TestEventsEnd(t *testing.T) {
	for _, whole := range []bool{true, false} {
		h := (&house{t: t}).behind("60s", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, strings.Repeat("data: hello\n\n", 10_000))
			w.(http.Flusher).Flush()
			if !whole {
				panic(http.ErrAbortHandler)
			}
		})
		request, err := http.NewRequest("GET", "http://"+h.address+"/gone/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "shop.example.com"
		got, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if got.Close || got.TransferEncoding == nil || len(body) != 13*10_000 || strings.Trim(string(body), "dat: helo\n") != "" {
			t.Errorf("closes: %v, %v, %d bytes", got.Close, got.TransferEncoding, len(body))
		}
		if ended := err == nil; ended != whole {
			t.Errorf("the API ended: %v, the stream: %v", whole, err)
		}
	}
}
