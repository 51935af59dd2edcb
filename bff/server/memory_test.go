package server_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// bodySize is how much goes through in each direction; -mib=1024 for the whole measure.
var bodySize = flag.Int64("mib", 128, "size of the bodies in TestBoundedMemory, in MiB")

// aborts is how many calls TestAborts breaks off; -aborts=10000 for the whole measure.
var aborts = flag.Int("aborts", 2000, "calls broken off in TestAborts")

// zeros is an endless body that costs no memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// peak watches the heap until stop is closed, and tells how far it grew.
func peak(stop <-chan struct{}) <-chan uint64 {
	grown := make(chan uint64, 1)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	first, most := m.HeapInuse+m.StackInuse, uint64(0)
	go func() { // ends with stop
		for {
			runtime.ReadMemStats(&m)
			if now := m.HeapInuse + m.StackInuse; now > first {
				most = max(most, now-first)
			}
			select {
			case <-stop:
				grown <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return grown
}

// behind starts an API that leaves bodies to answer, and a house in front of it at
// /gone/, where a body may be silent for idle.
func (h *house) behind(idle string, answer http.HandlerFunc) *house {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	web := &http.Server{Handler: answer, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = web.Serve(l) }() // ends with Close
	h.t.Cleanup(func() { _ = web.Close(); <-done })
	return open(h.t, settings{edit: func(s string) string {
		s = replaced(s, "http://127.0.0.1:1", "http://"+l.Addr().String())
		s = replaced(s, "body_idle: 60s", "body_idle: "+idle)
		return replaced(s, "{path: /gone/, upstream: gone, session: none}", "{path: /gone/, upstream: gone, session: none, guard: false, max_body: 0}")
	}})
}

// TestBoundedMemory: bodies far larger than memory may grow go up and down at once,
// with a length and without one.
func TestBoundedMemory(t *testing.T) {
	size := *bodySize << 20
	h := (&house{t: t}).behind("60s", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%d %v", n, err)
			return
		}
		if r.URL.Path == "/gone/length" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		_, _ = io.CopyN(w, zeros{}, size)
	})
	stop := make(chan struct{})
	grown := peak(stop)
	for _, path := range []string{"length", "chunked"} {
		get, err := http.NewRequest("GET", "http://"+h.address+"/gone/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		post, _ := http.NewRequest("POST", get.URL.String(), io.LimitReader(zeros{}, size))
		if path == "length" {
			post.ContentLength = size
		}
		for _, request := range []*http.Request{get, post} {
			request.Host = "shop.example.com"
			request.Close = true
			got, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			n, err := io.Copy(io.Discard, io.TeeReader(got.Body, limited{&text}))
			_ = got.Body.Close()
			if request.Method == "GET" && n != size || request.Method == "POST" && text.String() != fmt.Sprint(size, " <nil>") || err != nil {
				t.Errorf("%s %s: %d %d bytes, %.100q, %v", request.Method, path, got.StatusCode, n, text.String(), err)
			}
		}
	}
	close(stop)
	if most := <-grown; most > 32<<20 {
		t.Errorf("memory grew by %d KiB", most>>10)
	}
}

// limited keeps the first kilobyte.
type limited struct{ b *strings.Builder }

func (l limited) Write(p []byte) (int, error) {
	l.b.Write(p[:min(len(p), max(0, 1024-l.b.Len()))])
	return len(p), nil
}

// TestAborts: browsers that leave in the middle of whatever it is leave nothing behind.
func TestAborts(t *testing.T) {
	h := (&house{t: t}).behind("60s", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or it would not notice who leaves
		w.Header().Set("Content-Type", "text/event-stream")
		if r.URL.Path != "/gone/silent" {
			_, _ = io.WriteString(w, "data: 1\n\n")
			w.(http.Flusher).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-time.After(2 * time.Minute):
		}
	})
	before := runtime.NumGoroutine()
	kinds := []string{
		"GET /gone/events HTTP/1.1\r\nHost: shop.example.com\r\n\r\n",
		"GET /gone/silent HTTP/1.1\r\nHost: shop.example.com\r\n\r\n",
		"POST /gone/silent HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 1000000\r\n\r\nhello",
		"POST /gone/silent HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"GET /gone/events HTTP/1.0\r\nHost: shop.example.com\r\n\r\n",
		"GET /gone/ev",
	}
	slots := make(chan struct{}, 64)
	for i := range *aborts {
		slots <- struct{}{}
		go func() { // ends with its call
			defer func() { <-slots }()
			c, err := net.Dial("tcp", h.address)
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			_, _ = io.WriteString(c, kinds[i%len(kinds)])
			if i%len(kinds) == 0 {
				_, _ = bufio.NewReader(c).ReadString('\n')
			}
			if i%2 == 0 {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			_ = c.Close()
		}()
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	end := time.Now().Add(2 * time.Minute)
	for runtime.NumGoroutine() > before+cap(slots) { // the web server keeps idle workers, as many as it had connections at once
		if time.Now().After(end) {
			b := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%.6000s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestSlowPeers: who stops writing, or reading, is let go.
func TestSlowPeers(t *testing.T) {
	h := (&house{t: t}).behind("1s", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		_, _ = io.CopyN(w, zeros{}, 1<<30)
	})
	for name, request := range map[string]string{
		"writes nothing more":    "POST /gone/x HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 1000000\r\n\r\nhello",
		"writes no chunk more":   "POST /gone/x HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"writes no small body":   "POST /gone/x HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 10\r\n\r\nhello",
		"reads nothing":          "GET /gone/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n",
		"reads nothing, old way": "GET /gone/x HTTP/1.0\r\nHost: shop.example.com\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", h.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
			path := fmt.Sprintf("/gone/%x", name)
			_, _ = io.WriteString(c, replaced(request, "/gone/x", path))
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			if strings.HasPrefix(name, "reads") {
				rig.Until(t, "the call's line", func() bool { return strings.Contains(h.logs.String(), path) })
				return
			}
			got, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || got.StatusCode != 408 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
