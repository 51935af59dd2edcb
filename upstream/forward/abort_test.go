package forward_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/upstream/forward"
)

// silentAPI takes connections and requests, says what it is told and then nothing
// more; it reports each connection's end.
func silentAPI(t *testing.T, says string) (api *wireAPI, asked, gone chan bool) {
	asked, gone = make(chan bool, 1), make(chan bool, 1)
	api = serveWire(t, func(p *wirePeer) {
		if p.head() == "" {
			gone <- true
			return
		}
		p.say(says)
		asked <- true
		p.drain()
		gone <- true
	})
	return api, asked, gone
}

// Abort ends a call wherever it is, at once, and the API sees it.
func TestAbort(t *testing.T) {
	for _, c := range []struct{ name, says string }{
		{"before the head", ""},
		{"inside the head", "HTTP/1.1 200 OK\r\nContent-"},
		{"inside a body", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello"},
		{"inside a small body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"},
		{"inside chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
		{"inside a body by end", "HTTP/1.1 200 OK\r\n\r\nhello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, asked, gone := silentAPI(t, c.says)
			f := newForwarder(t, api)
			call := newCall("GET", "/")
			go func() { <-asked; call.Abort(); call.Abort() }()
			within(t, time.Minute, "an aborted call", func() {
				if got := do(f, call); !errors.Is(got.err, forward.ErrAborted) || got.whole {
					t.Errorf("got %v", got)
				}
				<-gone
			})
			if open, idle := f.Open(); open != 0 || idle != 0 {
				t.Errorf("%d open, %d idle", open, idle)
			}
			if got := do(f, call); !errors.Is(got.err, forward.ErrAborted) {
				t.Errorf("used again without Reset: %v", got)
			}
		})
	}
}

// Abort reaches a call that waits for a place, or for a connection.
func TestAbortBeforeAConnection(t *testing.T) {
	t.Run("waiting", func(t *testing.T) {
		api, asked, _ := silentAPI(t, "")
		f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns = 1; o.Dialer.Timeout = time.Minute })
		first, second := newCall("GET", "/"), newCall("GET", "/")
		done := make(chan outcome, 2)
		go func() { done <- do(f, first) }()
		<-asked
		go func() { done <- do(f, second) }()
		time.Sleep(5 * time.Millisecond) // whether it waits by now makes no difference to what must hold
		second.Abort()
		within(t, time.Minute, "both aborted", func() {
			if got := <-done; !errors.Is(got.err, forward.ErrAborted) {
				t.Error(got)
			}
			first.Abort()
			<-done
		})
	})
	t.Run("dialling", func(t *testing.T) {
		u := deafAddress(t)
		f, err := forward.New(forward.Options{Dialer: dialTo(u, time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		call := newCall("GET", "/")
		done := make(chan outcome, 1)
		go func() { done <- do(f, call) }()
		eventually(t, "a connection is being opened", func() bool { open, _ := f.Open(); return open == 1 })
		call.Abort()
		within(t, time.Minute, "an aborted call", func() {
			if got := <-done; !errors.Is(got.err, forward.ErrAborted) {
				t.Error(got)
			}
		})
		if open, _ := f.Open(); open != 0 {
			t.Errorf("%d open", open)
		}
	})
	t.Run("before Do", func(t *testing.T) {
		api, _, _ := silentAPI(t, "")
		call := newCall("GET", "/")
		call.Abort()
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, forward.ErrAborted) || api.dialled() != 0 {
			t.Error(got)
		}
		call.Reset()
	})
}

// A call that is aborted over a kept connection is not sent again, and does not count as if it were.
func TestAbortIsNoRetry(t *testing.T) {
	asked := make(chan bool)
	api := serveWire(t, func(p *wirePeer) {
		p.request()
		p.say(ok(""))
		p.request()
		asked <- true
		p.drain()
	})
	f := newForwarder(t, api)
	get(f, "/kept")
	call := newCall("GET", "/")
	go func() { <-asked; call.Abort() }()
	if got := do(f, call); !errors.Is(got.err, forward.ErrAborted) {
		t.Error(got)
	}
	if s := f.Stats(); s.Dialled != 1 || s.Retried != 0 {
		t.Errorf("%+v", s)
	}
}

// deafAddress is an address whose connections are never accepted: a listener with
// a full backlog, as far as the system lets one be made.
func deafAddress(t *testing.T) *url.URL {
	t.Helper()
	addr := deafListener(t)
	for {
		c, err := net.DialTimeout("tcp", addr, 10*short)
		if err != nil {
			return &url.URL{Scheme: "http", Host: addr}
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

// Abort while a body is being sent, from the browser's side silent or not.
func TestAbortWhileSending(t *testing.T) {
	for name, body := range map[string]io.Reader{"busy": &pattern{size: 1 << 40}, "silent": nil} {
		t.Run(name, func(t *testing.T) {
			api := serveWire(t, func(p *wirePeer) { p.drain() })
			f := newForwarder(t, api)
			call := newCall("POST", "/")
			call.Body, call.BodyLength = body, -1
			if body == nil {
				in, out := io.Pipe()
				defer out.Close()
				call.Body, call.StopBody = in, func() { _ = in.Close() }
			}
			go func() {
				eventually(t, "a connection", func() bool { return api.dialled() == 1 })
				call.Abort()
			}()
			within(t, time.Minute, "an aborted call", func() {
				if got := do(f, call); !errors.Is(got.err, forward.ErrAborted) {
					t.Error(got)
				}
			})
		})
	}
}

// Aborting at any moment never harms another call: it cannot hit a connection
// that has gone on to the next one. And ten thousand aborts leave nothing behind.
func TestTenThousandAborts(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			if strings.HasPrefix(r.URL.Path, "/stream") {
				p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
				continue // and never ends
			}
			p.say(ok(r.URL.Path))
		}
	})
	f := newForwarder(t, api)
	get(f, "/warm")
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			for i := range 1250 {
				abortedCall(t, f, n, i)
				path := fmt.Sprintf("/innocent-%d-%d", n, i)
				if got := do(f, newCall("POST", path)); got.body != path || !got.whole {
					t.Errorf("%s got %v", path, got)
					return
				}
			}
		})
	}
	callers.Wait()
	if open, idle := f.Open(); open != idle || open > 16 {
		t.Errorf("%d open, %d idle", open, idle)
	}
	f.Close()
	eventually(t, "no goroutine is left behind", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "no file is left open", func() bool { return openFiles(t) <= files })
}

// abortedCall makes a call and aborts it at some moment, sometimes after its end.
func abortedCall(t *testing.T, f *forward.Forwarder, n, i int) {
	path := fmt.Sprintf("/call-%d-%d", n, i)
	if i%2 == 0 {
		path = fmt.Sprintf("/stream-%d-%d", n, i)
	}
	call := newCall("GET", path)
	ended := make(chan bool)
	go func() {
		for range i % 50 {
			runtime.Gosched()
		}
		call.Abort()
		close(ended)
	}()
	got := do(f, call)
	if got.err == nil && got.body != path || got.err != nil && !errors.Is(got.err, forward.ErrAborted) {
		t.Errorf("%s got %v", path, got)
	}
	<-ended
}

// openFiles counts the process's file descriptors, where the system shows them.
func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}
