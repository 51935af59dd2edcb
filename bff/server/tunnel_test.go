package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// accepted is the API's answer to the key that handshake sends.
const accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

// speaks makes the API accept WebSockets and hand each connection to f.
func speaks(a *rig.API, f func(c *net.TCPConn)) {
	a.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = b.WriteString(accepted)
		_ = b.Flush()
		defer c.Close()
		f(c.(*net.TCPConn))
	})
}

// reset ends a connection as a process that crashes does.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// socket opens a WebSocket, and reads what comes behind the 101.
func (h *house) socket(cookie string) (net.Conn, *bufio.Reader) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, handshake(cookie, "Upgrade"))
	in := bufio.NewReader(c)
	got, err := http.ReadResponse(in, nil)
	if err != nil || got.StatusCode != 101 {
		h.t.Fatalf("handshake: %v %v\n%s", got, err, h.logs)
	}
	return c, in
}

// rest reads to the end of a connection, which must come long before idle_timeout (5m).
func rest(t *testing.T, in io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the browser was not told of the end")
	}
	return b
}

// TestAPIEndsTunnel: the end of the API's side ends the browser's at once, with a close
// frame where the framing allows one, and with no second one behind the API's own.
func TestAPIEndsTunnel(t *testing.T) {
	const whole, half, goodbye = "\x81\x05hello", "\x81\x05he", "\x88\x02\x03\xe8"
	for name, row := range map[string]struct {
		sent, got string
		end       func(*net.TCPConn)
	}{
		"reset between frames": {whole, whole + "\x88\x02\x03\xf3", reset},
		"end between frames":   {whole, whole + "\x88\x02\x03\xf3", func(c *net.TCPConn) { _ = c.Close() }},
		"end without a frame":  {"", "\x88\x02\x03\xf3", func(c *net.TCPConn) { _ = c.Close() }},
		"half an end":          {whole, whole + "\x88\x02\x03\xf3", func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) }},
		"reset in a frame":     {half, half, reset},
		"reset in a head":      {"\x82\x7f\x00", "\x82\x7f\x00", reset},
		"end in a frame":       {half, half, func(c *net.TCPConn) { _ = c.Close() }},
		"API says goodbye":     {whole + goodbye, whole + goodbye, func(c *net.TCPConn) { _ = c.Close() }},
		"goodbye and reset":    {goodbye, goodbye, reset},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() (late bool, fault string) {
				h := open(t, settings{})
				cookie := h.signIn("ada@x.test")
				read := make(chan struct{})
				speaks(h.api, func(c *net.TCPConn) {
					_, _ = io.WriteString(c, row.sent)
					<-read // a reset would overtake what was not read yet
					row.end(c)
				})
				_, in := h.socket(cookie)
				first := make([]byte, len(row.sent))
				if _, err := io.ReadFull(in, first); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				close(read)
				got := string(first) + string(rest(t, in))
				return time.Since(begun) >= closePatience, mismatch("the browser's side", got, row.got)
			})
		})
	}
}

// TestAPIEndsBehindSignOut: a sign-out waits for the frame under way only while the API
// is there to finish it, and lets a frame that comes in time be finished.
func TestAPIEndsBehindSignOut(t *testing.T) {
	const half, more = "\x81\x05he", "llo"
	for name, row := range map[string]struct {
		end  func(*net.TCPConn)
		want string
	}{
		"reset":    {reset, half},
		"end":      {func(c *net.TCPConn) { _ = c.Close() }, half},
		"silence":  {func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }, half},
		"the rest": {func(c *net.TCPConn) { _, _ = io.WriteString(c, more+"\x81\x04next"); _, _ = io.Copy(io.Discard, c) }, half + more + "\x88\x02\x03\xf0"},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() (late bool, fault string) {
				h := open(t, settings{})
				cookie := h.signIn("ada@x.test")
				out, left := make(chan struct{}), make(chan struct{})
				speaks(h.api, func(c *net.TCPConn) {
					_, _ = io.WriteString(c, half)
					<-out
					row.end(c)
					close(left)
				})
				_, in := h.socket(cookie)
				first := make([]byte, len(half))
				if _, err := io.ReadFull(in, first); err != nil {
					t.Fatal(err)
				}
				ended, begun := make(chan answer), time.Now()
				go func() { // ends with the answer
					h.api.Say(nil)
					close(out) // in the moment of the sign-out
					ended <- h.call("POST /bff/logout", cookie, shop, xcsrf)
				}()
				got := string(first) + string(rest(t, in))
				late = time.Since(begun) >= closePatience
				h.want(<-ended, 204, "")
				wait(t, "the end of the API's side", left)
				if name == "the rest" && strings.HasPrefix(got, half+more) {
					return late, "" // and the frame behind it, where that was the first
				}
				return late, mismatch("the browser's side", got, row.want)
			})
		})
	}
}

// TestBrowserEndsTunnel: the end of the browser's side ends the API's at once.
func TestBrowserEndsTunnel(t *testing.T) {
	for name, end := range map[string]func(*net.TCPConn){
		"reset": reset, "end": func(c *net.TCPConn) { _ = c.Close() }, "half an end": func(c *net.TCPConn) { _ = c.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, settings{})
			cookie := h.signIn("ada@x.test")
			left := make(chan struct{})
			speaks(h.api, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c); close(left) })
			c, _ := h.socket(cookie)
			end(c.(*net.TCPConn))
			wait(t, "the end of the API's side", left)
		})
	}
}

// TestSilenceEndsTunnel: silence both ways ends a tunnel, with a close frame; one
// direction that is alive keeps both.
func TestSilenceEndsTunnel(t *testing.T) {
	const beats, idle = 8, time.Second
	inTime(t, func() (late bool, fault string) {
		h := open(t, settings{edit: func(s string) string {
			return replaced(s, "max_body: 0, websocket: true", "max_body: 0, websocket: true, idle_timeout: 1s")
		}})
		cookie := h.signIn("ada@x.test")
		beaten := make(chan [2]time.Time, beats)
		speaks(h.api, func(c *net.TCPConn) {
			for range beats { // longer than the idle time of the other direction
				before := time.Now()
				_, _ = io.WriteString(c, "\x81\x01x")
				beaten <- [2]time.Time{before, time.Now()}
				time.Sleep(250 * time.Millisecond)
			}
			_, _ = io.Copy(io.Discard, c)
		})
		_, in := h.socket(cookie)
		got := string(rest(t, in))
		end := time.Now()
		last := <-beaten
		for range beats - 1 {
			next := <-beaten
			late = late || next[1].Sub(last[0]) >= idle/2
			last = next
		}
		late = late || end.Sub(last[0]) >= idle+closePatience
		return late, mismatch("the browser's side", got, strings.Repeat("\x81\x01x", beats)+"\x88\x02\x03\xe9")
	})
}

// flood sends frames for as long as somebody takes them; stuck is closed once nobody does.
func flood(c *net.TCPConn, stuck chan<- struct{}) {
	frame := append([]byte{0x82, 0x7e, 0x10, 0}, bytes.Repeat([]byte("f"), 4096)...)
	told := false
	for p := frame; ; {
		_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := c.Write(p)
		if p = p[n:]; len(p) == 0 {
			p = frame
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !told {
				close(stuck)
			}
			told = true
		case err != nil:
			return
		}
	}
}

// TestReaderThatStops: a browser that does not read holds nobody up: its session's end
// is answered, its other sockets are closed with 1008, both sides of its own end, and
// so does the process.
func TestReaderThatStops(t *testing.T) {
	inTime(t, func() (late bool, fault string) {
		h := open(t, settings{})
		ada, bob := h.signIn("ada@x.test"), h.signIn("bob@x.test")
		left := make(chan struct{}, 4)
		var floods atomic.Bool
		stuck := make(chan struct{})
		floods.Store(true)
		speaks(h.api, func(c *net.TCPConn) {
			if floods.Swap(false) {
				flood(c, stuck)
			} else {
				_, _ = io.Copy(io.Discard, c)
			}
			left <- struct{}{}
		})
		deaf, _ := h.socket(ada)
		wait(t, "a browser that has stopped", stuck)
		_, other := h.socket(ada)
		_, foreign := h.socket(bob)
		h.api.Say(nil)
		for _, socket := range []struct {
			whose, cookie string
			in            io.Reader
		}{{"the person's other socket", ada, other}, {"another person's socket", bob, foreign}} {
			begun := time.Now()
			h.want(h.call("POST /bff/logout", socket.cookie, shop, xcsrf), 204, "")
			wrong := mismatch(socket.whose, string(rest(t, socket.in)), "\x88\x02\x03\xf0")
			if fault == "" {
				late, fault = time.Since(begun) >= closePatience, wrong
			}
		}
		for range 3 {
			wait(t, "the end of the API's sides", left)
		}
		if _, err := io.Copy(io.Discard, deaf); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection of the browser that stopped is still there")
		}
		return late, fault
	})
}

// TestReaderThatStopsAndDrain: a drain closes the door first, and ends with its time,
// whatever a browser does not read: WebSockets and event streams.
func TestReaderThatStopsAndDrain(t *testing.T) {
	h := open(t, settings{edit: func(s string) string { return "drain: {timeout: 100ms}\n" + s }})
	cookie := h.signIn("ada@x.test")
	stuck, left := make(chan struct{}), make(chan struct{})
	speaks(h.api, func(c *net.TCPConn) { flood(c, stuck); close(left) })
	h.socket(cookie)
	wait(t, "a browser that has stopped", stuck)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.server.Shutdown(ctx) }() // ends with the last connection
	wait(t, "the end of the API's side", left)
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if c, err := net.Dial("tcp", h.address); err == nil {
		_ = c.Close()
		t.Error("a new connection was taken in")
	}
}

// TestDeafStreamEnds: a stream whose browser does not read ends with its session, too,
// long before limits.body_idle.
func TestDeafStreamEnds(t *testing.T) {
	h := open(t, settings{edit: func(s string) string { return replaced(s, "body_idle: 60s", "body_idle: 10m") }})
	cookie := h.signIn("ada@x.test")
	stuck, left := make(chan struct{}), make(chan struct{})
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, _ := w.(http.Hijacker).Hijack()
		_, _ = b.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
		_ = b.Flush()
		flood(c.(*net.TCPConn), stuck)
		close(left)
	})
	c, _ := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
	wait(t, "a browser that has stopped", stuck)
	h.api.Say(nil)
	h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "")
	wait(t, "the end of the API's side", left)
	rig.Until(t, "the stream's line: else the write to the browser goes on", func() bool {
		return strings.Contains(h.logs.String(), `"path":"/api/events"`)
	})
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the browser's connection is still there")
	}
}

// TestStreamsPerSession: the WebSockets and event streams of one session are bounded;
// its other calls and other people are not touched, and a place that is free is taken.
func TestStreamsPerSession(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, `url: "${API}"`, `url: "${API}"`+"\n    streams_per_session: 2")
	}})
	ada, again, bob := h.signIn("ada@x.test"), h.signIn("ada@x.test"), h.signIn("bob@x.test")
	serve := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/events":
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/long/ws":
			c, b, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			_, _ = b.WriteString(accepted)
			_ = b.Flush()
			_, _ = io.Copy(io.Discard, c)
		}
	}
	h.api.Say(serve)
	first, _ := h.socket(ada)
	second, got := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + ada + "\r\n\r\n")
	if got.StatusCode != 200 {
		t.Fatal(got.Status)
	}
	asked := h.api.Count()
	refused := h.raw(handshake(ada, "Upgrade"), false)
	h.want(refused, 429, "too_many_attempts")
	if refused.Header.Get("Retry-After") == "" || h.api.Count() != asked {
		t.Errorf("refusal: %v, and the API was asked %d times", refused.Header, h.api.Count()-asked)
	}
	h.want(h.call("GET /api/events", ada, sameOrign), 429, "too_many_attempts")
	h.want(h.call("GET /api/x", ada, sameOrign), 200, "")
	h.socket(again)
	h.socket(bob)
	if n := strings.Count(h.logs.String(), `"event":"stream","outcome":"too_many"`); n == 0 {
		t.Errorf("%d events in the log", n)
	}
	for _, c := range []net.Conn{first, second} {
		_ = c.Close()
		rig.Until(t, "a place that came free", func() bool {
			_, got := h.stream(handshake(ada, "Upgrade"))
			return got.StatusCode == 101
		})
	}
	h.want(h.raw(handshake(ada, "Upgrade"), false), 429, "too_many_attempts")
}

// TestEventsForHandshake: a handshake that the API answers with events instead is one
// stream of its session, and not two.
func TestEventsForHandshake(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, `url: "${API}"`, `url: "${API}"`+"\n    streams_per_session: 2")
	}})
	ada := h.signIn("ada@x.test")
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	for _, want := range []int{200, 200, 429} {
		if _, got := h.stream(handshake(ada, "Upgrade")); got.StatusCode != want {
			t.Fatalf("%s, want %d", got.Status, want)
		}
	}
}
