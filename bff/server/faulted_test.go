package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"coatcheck/bff/pages"
	"coatcheck/bff/rig"
	"coatcheck/bff/server"
)

// faultMark stands in what must not be written, or closed.
const faultMark = "write-this-and-fall"

// fragile are connections of which a write is a fault of the program, where it holds a text.
type fragile struct {
	net.Listener
	at atomic.Pointer[string] // nil: none
}

func (f *fragile) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &fragileConn{c, f}, nil
}

type fragileConn struct {
	net.Conn
	of *fragile
}

func (c *fragileConn) Write(p []byte) (int, error) {
	if at := c.of.at.Load(); at != nil && strings.Contains(string(p), *at) {
		panic("fault at a write with " + rig.TokenMark)
	}
	return c.Conn.Write(p)
}

// worn are files of which one has a fault when it is read, or closed.
type worn struct{ fs.FS }

func (w worn) Open(name string) (fs.File, error) {
	f, err := w.FS.Open(name)
	if err != nil || !strings.HasPrefix(name, "worn") {
		return f, err
	}
	return &wornFile{f, f.(io.ReaderAt), name}, nil
}

type wornFile struct {
	fs.File
	io.ReaderAt
	name string
}

func (f *wornFile) ReadAt(p []byte, at int64) (int, error) {
	if f.name == "worn-read.js" {
		panic("fault at a read with " + rig.TokenMark)
	}
	return f.ReaderAt.ReadAt(p, at)
}

func (f *wornFile) Close() error {
	_ = f.File.Close()
	if f.name == "worn-close.js" {
		panic("fault at a close with " + rig.TokenMark)
	}
	return nil
}

// faulted is a call that meets a fault of the program: what its line says, and how many
// exchanges are not used again.
type faulted struct {
	path, write, log string // what is called; the write, or the line, that is the fault
	api              func(http.ResponseWriter, *http.Request)
	status           int
	code             string
	kept             int
}

// TestFaultedCall: whatever meets a fault of the program, wherever it is, the call has one
// line and is counted once, no gauge is left wrong, and its exchange is never used again.
func TestFaultedCall(t *testing.T) {
	socket := func(first string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			c, b, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			_, _ = b.WriteString(accepted + first)
			_ = b.Flush()
			_, _ = io.Copy(io.Discard, c)
		}
	}
	const ws = "/api/long/ws"
	for name, row := range map[string]faulted{
		"before anything is known":    {path: "/api/lost", status: 500, code: "internal", kept: 1},
		"in a room":                   {path: "/api/room", status: 500, code: "internal", kept: 1},
		"in the writing of an answer": {path: "/api/small", api: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, faultMark) }, write: faultMark, status: 200, kept: 1},
		"in the writing of our own":   {path: "/bff/session", write: `"authenticated"`, status: 200, kept: 1},
		"in the head of a stream":     {path: "/api/events", api: streams("text/event-stream"), write: "text/event-stream", status: 200, code: "internal", kept: 1},
		"in a stream of events":       {path: "/api/events", api: streams("text/event-stream"), write: faultMark, status: 200, code: "internal", kept: 1},
		"in any other stream":         {path: "/api/parts", api: streams("text/plain"), write: faultMark, status: 200, code: "internal", kept: 1},
		"in the reading of a file":    {path: "/worn-read.js", status: 200, code: "internal", kept: 1},
		"in the closing of a file":    {path: "/worn-close.js", status: 200, code: "internal", kept: 1},
		"in the writing of a file":    {path: "/whole.js", write: faultMark, status: 200, code: "internal", kept: 1},
		"in a handshake":              {path: ws, api: socket(""), write: "101 Switching", status: 101, kept: 1},
		"in a tunnel":                 {path: ws, api: socket("\x82" + string(rune(len(faultMark))) + faultMark), write: faultMark, status: 101},
		"in a line":                   {path: "/api/line", log: `"path":"/api/line"`, kept: 1},
		"in a stream's line":          {path: "/worn-not.js", log: `"path":"/worn-not.js"`, kept: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if kept := server.Unreleased(func() { t.Run("", row.run) }); kept != row.kept {
				t.Errorf("%d exchanges were not given back, want %d", kept, row.kept)
			}
		})
	}
}

func (row faulted) run(t *testing.T) {
	weak := new(fragile)
	files := worn{fstest.MapFS{"worn-read.js": {Data: []byte("x"), ModTime: lastChange}, "worn-close.js": {Data: []byte("x"), ModTime: lastChange}, "worn-not.js": {Data: []byte("x"), ModTime: lastChange}, "whole.js": {Data: []byte(faultMark), ModTime: lastChange}}}
	h := open(t, settings{fault: row.log, wrap: func(l net.Listener) net.Listener { weak.Listener = l; return weak },
		pages: map[string]*pages.Pages{"shop": {Files: files}},
		edit: func(yaml string) string {
			return replaced(yaml, `    private_paths: [/internal]`, "    private_paths: [/internal]\n    streams_per_session: 1")
		}})
	cookie := h.signIn("ada@x.test")
	before := callsOf(h)
	h.api.Say(row.api)
	if row.write != "" {
		weak.at.Store(&row.write)
	}
	request := "GET " + row.path + " HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n" + sameOrign + "\r\n\r\n"
	back := func() {}
	switch {
	case row.path == "/api/lost":
		back = server.Lose(h.server)
	case row.path == "/api/room":
		back = server.Hollow(h.server)
	case strings.HasSuffix(row.path, "/ws"):
		request = handshake(cookie, "Upgrade")
	}
	h.faulty(request)
	back()
	weak.at.Store(nil)
	h.api.Say(nil)
	rig.Until(t, "the end of all that was open", func() bool {
		return strings.Contains(h.logs.String(), `"msg":"panic"`) && sumOf(h, "coatcheck_open_streams") == 0 && h.manager.Stats().Watched == 0
	})
	wantOne(h, row, before)
	h.api.Say(streams("text/event-stream"))
	if _, got := h.stream("GET /api/next HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n"); got.StatusCode != 200 {
		t.Errorf("the place of the stream is not free: %d", got.StatusCode)
	}
}

// streams answers with a stream that lasts until the caller leaves.
func streams(contentType string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for _, text := range []string{"data: 1\n\n", faultMark + "\n\n"} {
			_, _ = io.WriteString(w, text)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
}

// wantOne wants one line of the call, and one count.
func wantOne(h *house, row faulted, before int) {
	h.t.Helper()
	lines := 0
	for line := range strings.Lines(h.logs.String()) {
		var l struct {
			Level, Msg, Path, Code string
			ID                     string `json:"request_id"`
			Status                 int
		}
		if json.Unmarshal([]byte(line), &l) != nil || l.Msg != "call" || l.Path != row.path {
			continue
		}
		lines++
		if l.Status != row.status || l.Code != row.code || len(l.ID) != 32 || (l.Level == "ERROR") != (row.code != "") {
			h.t.Errorf("line: %s", line)
		}
		if !strings.Contains(h.logs.String(), fmt.Sprintf(`"msg":"panic","request_id":"%s"`, l.ID)) && row.path != "/api/lost" {
			h.t.Errorf("the place of the fault is not logged under the id of %s", line)
		}
	}
	want := 1
	if row.log != "" {
		want = 0 // it was under way
	}
	if lines != want {
		h.t.Errorf("%d lines, want %d\n%s", lines, want, h.logs)
	}
	counted := 1
	if row.path == "/api/lost" {
		counted = 0 // nobody knows of which route
	}
	if n := callsOf(h) - before; n != counted {
		h.t.Errorf("%d calls are counted, want %d", n, counted)
	}
	refused := 0
	if row.code != "" {
		refused = 1
	}
	if n := sumOf(h, "coatcheck_refusals_total"); n != refused {
		h.t.Errorf("%d refusals are counted, want %d", n, refused)
	}
	h.oneFault("/bff/server/")
}

func callsOf(h *house) int { return sumOf(h, "coatcheck_calls_total") }

// sumOf adds up all series of a metric.
func sumOf(h *house, name string) (sum int) {
	got := httptest.NewRecorder()
	h.counts.Handler().ServeHTTP(got, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(got.Body.String()) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(value); err == nil && strings.HasPrefix(series+"{", name+"{") {
			sum += n
		}
	}
	return sum
}
