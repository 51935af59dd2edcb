package server_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/rig"
	"coatcheck/bff/server"
	"coatcheck/bff/session/store"
)

// TestAnswerDuringShutdown: the web server takes a connection whose call is at an API for
// idle, and closes those. The answer is not lost, and is the last of its connection. What
// would live on, a WebSocket or a stream of events, is refused then.
func TestAnswerDuringShutdown(t *testing.T) {
	for name, row := range map[string]struct {
		answer  string // of the API, or of a handshake
		version string
		want    string // status and body
		or      string // where the web server has not come to the connection yet
	}{
		"whole":     {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "1", "200 body", ""},
		"in chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n", "1", "200 body 7", ""},
		"old":       {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody", "0", "200 body", ""},
		"events":    {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", "1", "503 ", "unexpected EOF"},
		"WebSocket": {accepted, "ws", "503 ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, settings{edit: func(s string) string { return "drain: {timeout: 20ms}\n" + s }})
			cookie := h.signIn("ada@x.test")
			came, release := make(chan struct{}), make(chan struct{})
			h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
				c, b, _ := w.(http.Hijacker).Hijack()
				defer c.Close()
				close(came)
				<-release
				_, _ = b.WriteString(row.answer)
				_ = b.Flush()
			})
			idle, busy := h.dial(), h.dial()
			waiting := known(t, idle)
			known(t, busy)
			request := handshake(cookie, "Upgrade")
			if row.version != "ws" {
				request = "GET /api/slow HTTP/1." + row.version + "\r\nHost: shop.example.com\r\nSec-Fetch-Site: same-origin\r\n" + cookie + "\r\n\r\n"
			}
			_, _ = io.WriteString(busy, request)
			wait(t, "the call at the API", came)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- h.server.Shutdown(ctx) }()  // ends with the calls at work
			if _, err := waiting.ReadByte(); err != io.EOF { // the web server has closed the idle ones
				t.Errorf("the idle connection: %v", err)
			}
			close(release)
			if got := said(t, busy); got != row.want && (row.or == "" || got != row.or) && !strings.HasPrefix(got, row.want+"{") {
				t.Errorf("answer: %q, want %q", got, row.want)
			}
			_ = busy.Close()
			if err := <-ended; err != nil {
				t.Errorf("shutdown: %v", err)
			}
		})
	}
}

// held is a store in which an end waits.
type held struct {
	store.Store
	came, release chan struct{}
}

func (h held) Remove(ctx context.Context, key string, r store.Removal) ([]byte, store.Outcome, error) {
	close(h.came)
	<-h.release
	return h.Store.Remove(ctx, key, r)
}

// TestSignOutDuringShutdown: a sign-out that is at work when the end begins is told to the
// API before the process is over, though its own answer does not wait for that.
func TestSignOutDuringShutdown(t *testing.T) {
	st := held{came: make(chan struct{}), release: make(chan struct{})}
	h := open(t, settings{
		edit:   func(s string) string { return "drain: {timeout: 20ms}\n" + s },
		faulty: func(s store.Store) store.Store { st.Store = s; return st },
	})
	cookie := h.signIn("ada@x.test")
	heard, answer := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(answer) })
	defer release()
	h.api.Say(func(http.ResponseWriter, *http.Request) { close(heard); <-answer })
	idle, busy := h.dial(), h.dial()
	waiting := known(t, idle)
	_, _ = io.WriteString(busy, "POST /bff/logout HTTP/1.1\r\nHost: shop.example.com\r\n"+shop+"\r\n"+xcsrf+"\r\n"+cookie+"\r\nContent-Length: 0\r\n\r\n")
	wait(t, "the sign-out at the store", st.came)
	ended := make(chan error, 1)
	go func() { ended <- h.server.Shutdown(context.Background()) }() // ends with what the API answers
	if _, err := waiting.ReadByte(); err != io.EOF {                 // now it waits for what is at work
		t.Errorf("the idle connection: %v", err)
	}
	close(st.release)
	wait(t, "the sign-out at the API", heard)
	if all, err := io.ReadAll(busy); !strings.HasPrefix(string(all), "HTTP/1.1 204 ") || err != nil {
		t.Errorf("%q, %v", all, err)
	}
	_ = busy.Close()
	select {
	case err := <-ended:
		t.Fatalf("the end did not wait for the API: %v", err)
	case <-time.After(100 * time.Millisecond): // it would be over at once
	}
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// mute is a listener whose connections take no answer once silent is set.
type mute struct {
	net.Listener
	silent *atomic.Bool
}

func (l mute) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return mutable{c, l.silent}, err
}

type mutable struct {
	net.Conn
	silent *atomic.Bool
}

func (c mutable) Write(p []byte) (int, error) {
	if c.silent.Load() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// TestEventsThatNeverBegin: a stream of events whose head cannot be written leaves the API,
// and holds neither the process's end nor a place of its session.
func TestEventsThatNeverBegin(t *testing.T) {
	var silent atomic.Bool
	h := open(t, settings{
		wrap: func(l net.Listener) net.Listener { return mute{l, &silent} },
		edit: func(s string) string {
			return replaced(s, `url: "${API}"`, `url: "${API}"`+"\n    streams_per_session: 1")
		},
	})
	cookie := h.signIn("ada@x.test")
	var left atomic.Int64
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		left.Add(1)
	})
	silent.Store(true)
	// A place that is not given back is missing at the second call. It comes free behind the
	// API's leaving, so the one call may find none, and the next does.
	rig.Until(t, "the API to be left by three calls", func() bool {
		_, _ = io.WriteString(h.dial(), "GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\nSec-Fetch-Site: same-origin\r\n"+cookie+"\r\n\r\n")
		return left.Load() >= 3
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestShutdownEndsIdle: a connection without a call ends as soon as its grace is over, be it
// new or kept.
func TestShutdownEndsIdle(t *testing.T) {
	for _, path := range []string{"", "/bff/session", "/open/x"} {
		took := time.Hour
		for try := 0; try < 3 && took > 3*time.Second; try++ { // a busy machine may be slow once
			h := open(t, settings{edit: func(s string) string { return "drain: {timeout: 20ms}\n" + s }})
			c := h.dial()
			if path != "" {
				_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
					t.Fatal(err)
				}
			}
			begun := time.Now()
			if err := h.server.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
			took = time.Since(begun)
		}
		if took > 3*time.Second {
			t.Errorf("%q: %v", path, took)
		}
	}
}

// TestAnswerBeforeMore: an answer that ends its connection arrives whole, though a request
// behind it was not read. A socket that is closed over bytes that nobody read is reset, and
// what the browser has not yet fetched would be lost.
func TestAnswerBeforeMore(t *testing.T) {
	const size = 1 << 20
	h := open(t, settings{edit: func(s string) string { return "drain: {timeout: 20ms}\n" + s }})
	came, release := make(chan struct{}), make(chan struct{})
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		close(came)
		<-release
		_, _ = w.Write(make([]byte, size))
	})
	c := h.dial()
	_, _ = io.WriteString(c, "GET /open/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	wait(t, "the call at the API", came)
	_, _ = io.WriteString(c, "POST /open/x HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 9\r\n\r\n123456789")
	ended := make(chan error, 1)
	go func() { ended <- h.server.Shutdown(context.Background()) }() // ends with the call
	for !server.Draining(h.server) {
		runtime.Gosched()
	}
	close(release)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(h.logs.String(), `"path":"/open/x"`) && time.Now().Before(end); {
		runtime.Gosched() // until the last byte is handed to the kernel, where it takes so much
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil || !answer.Close {
		t.Errorf("%d of %d bytes, %v, closes: %v", n, size, err, answer.Close)
	}
	_ = c.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// dial opens a connection that ends with the test.
func (h *house) dial() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// known makes a connection one that the web server knows: it has answered on it.
func known(t *testing.T, c net.Conn) *bufio.Reader {
	t.Helper()
	_, _ = io.WriteString(c, "GET /nowhere HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	in := bufio.NewReader(c)
	first, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, first.Body)
	return in
}

// said is the one answer on a connection that ends behind it: status, body, trailer.
func said(t *testing.T, c net.Conn) string {
	t.Helper()
	in := bufio.NewReader(c)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 || !answer.Close {
		t.Errorf("the connection goes on: %q, %v, closes: %v", rest, err, answer.Close)
	}
	got := answer.Status[:4] + string(text)
	if sum := answer.Trailer.Get("X-Sum"); sum != "" {
		got += " " + sum
	}
	return got
}
