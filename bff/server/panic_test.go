package server_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/pages"
	"coatcheck/bff/rig"
	"coatcheck/bff/server"
)

// broken are pages whose reading is a fault of the program.
type broken struct{}

func (broken) Open(name string) (fs.File, error) {
	panic("fault at " + name + " with " + rig.TokenMark)
}

// TestPanic: a fault of the program is answered 500 with a fixed text, ends its
// connection, is logged once with the place and without what it says, and concerns
// nobody else.
func TestPanic(t *testing.T) {
	h := open(t, settings{pages: map[string]*pages.Pages{"shop": {Files: broken{}}}})
	cookie := h.signIn("ada@x.test")
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 25 {
				if got := h.call("GET /api/items", cookie, sameOrign); got.StatusCode != 200 || !strings.Contains(got.body, "/api/items") {
					t.Errorf("another call: %d %s", got.StatusCode, got.body)
				}
			}
		})
	}
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET /marked-page HTTP/1.1\r\nHost: shop.example.com\r\n"+cookie+"\r\nSec-Fetch-Site: same-origin\r\n\r\n"+
		"GET /api/second HTTP/1.1\r\nHost: shop.example.com\r\n"+cookie+"\r\nSec-Fetch-Site: same-origin\r\n\r\n")
	in := bufio.NewReader(c)
	first, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(first.Body)
	h.want(answer{first, string(text)}, 500, "internal")
	if !first.Close || strings.Contains(string(text), "marked") || strings.Contains(string(text), rig.TokenMark) {
		t.Errorf("answer: %v\n%s", first.Header, text)
	}
	if rest, _ := io.ReadAll(in); len(rest) > 0 {
		t.Errorf("the connection went on: %.100q", rest)
	}
	work.Wait()
	h.oneFault("panic_test.go")
}

// oneFault wants one line that names the place and does not repeat the fault's text.
func (h *house) oneFault(place string) {
	h.t.Helper()
	faults := 0
	for line := range strings.Lines(h.logs.String()) {
		if strings.Contains(line, rig.TokenMark) || strings.Contains(line, "fault at") {
			h.t.Errorf("the log repeats the fault's text: %s", line)
		}
		var l struct{ Level, Stack string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Stack != "" {
			if faults++; l.Level != "ERROR" || !strings.Contains(l.Stack, place) {
				h.t.Errorf("log: %s", line)
			}
		}
	}
	if faults != 1 {
		h.t.Errorf("%d lines of the fault\n%s", faults, h.logs)
	}
}

// trap is a writer of log lines that has a fault at some of them.
type trap struct {
	io.Writer
	fault string
}

func (t trap) Write(p []byte) (int, error) {
	if t.fault != "" && strings.Contains(string(p), t.fault) {
		panic("fault at a line with " + rig.TokenMark)
	}
	return t.Writer.Write(p)
}

// TestPanicElsewhere: a fault that no handler meets ends its call and its connection, too,
// and not the process: in the line of a call, behind a stream, in a WebSocket's
// handshake, at the gate, in work that goes on behind an answer, before a call is known.
func TestPanicElsewhere(t *testing.T) {
	const path = "/api/long/marked-line"
	get := func(version, more string) func(*house, string) {
		return func(h *house, cookie string) {
			h.faulty("GET " + path + " HTTP/1." + version + "\r\nHost: shop.example.com\r\n" + cookie + "\r\n" + more + "\r\n")
		}
	}
	streams := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "part")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "part")
	}
	for name, row := range map[string]struct {
		fault string
		api   func(http.ResponseWriter, *http.Request)
		doing func(h *house, cookie string)
	}{
		"the line of a call":        {`"path":"` + path, nil, get("1", sameOrign+"\r\n")},
		"the line of a stream":      {`"path":"` + path, streams, get("1", sameOrign+"\r\n")},
		"the line of an old stream": {`"path":"` + path, streams, get("0", "")},
		"the line of a WebSocket": {`"path":"/api/long/ws`, func(w http.ResponseWriter, _ *http.Request) {
			c, b, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			_, _ = b.WriteString(accepted)
			_ = b.Flush()
			_, _ = io.Copy(io.Discard, c)
		}, func(h *house, cookie string) { h.faulty(handshake(cookie, "Upgrade")) }},
		"the gate": {`"msg":"refused"`, nil, func(h *house, _ string) { h.faulty("GET / HTTP/1.1\r\nHo st: x\r\n\r\n") }},
		"behind an answer": {`"msg":"API not notified of the sign-out"`, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			func(h *house, cookie string) { h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "") }},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, settings{fault: row.fault})
			cookie, other := h.signIn("ada@x.test"), h.signIn("bob@x.test")
			h.api.Say(row.api)
			row.doing(h, cookie)
			h.api.Say(nil)
			rig.Until(t, "the fault's line", func() bool { return strings.Contains(h.logs.String(), `"msg":"panic"`) })
			h.oneFault("panic_test.go")
			h.want(h.call("GET /api/x", other, sameOrign), 200, "")
			rig.Until(t, "the end of every stream's tie to its session", func() bool { return h.manager.Stats().Watched == 0 })
		})
	}
}

// faulty sends a request and wants its connection to end.
func (h *house) faulty(request string) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, request)
	if got, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(string(got), rig.TokenMark) {
		h.t.Errorf("answer: %q, %v", got, err)
	}
}

// TestPanicBeforeTheCall: a fault before anything of a call is known is answered 500.
func TestPanicBeforeTheCall(t *testing.T) {
	h := open(t, settings{})
	h.want(h.call("GET /open/x"), 200, "")
	back := server.Lose(h.server)
	got := h.raw("GET /api/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", false)
	back()
	if got.StatusCode != 500 || got.code() != "internal" || !got.Close || !strings.Contains(got.body, `"code":"internal"`) {
		t.Errorf("answer: %v %s", got.Header, got.body)
	}
	h.oneFault("walk.go")
	h.want(h.call("GET /open/x"), 200, "")
}

// TestPanicInStream: reading a stream passes no fault on.
func TestPanicInStream(t *testing.T) {
	h := open(t, settings{})
	if err := server.ReadBroken(h.server); err == nil {
		t.Error("no error")
	}
	h.oneFault("stream.go")
}
