package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRepeatedRequestHeaders: a header that comes in several lines reaches the API in
// all of them, or in none.
func TestRepeatedRequestHeaders(t *testing.T) {
	h := open(t, settings{})
	for _, name := range []string{"Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Encoding", "Content-Language", "User-Agent", "If-None-Match", "If-Match", "Range", "Cache-Control",
		"Expires", "Date", "Server", "Location", "Set-Cookie", "Vary", "Last-Event-ID", "Link", "X-Theirs", "x-lower", "Warning", "Age", "From", "Cookie", "Authorization", "Referer", "Connection", "TE", "Trailer", "Via", "Proxy-Authorization"} {
		lines := []string{name + ": kept-a", name + ": kept-b", name + ": kept-c"}
		h.want(h.call("POST /hook/x\n\nping", lines...), 200, "")
		if got := h.api.Last(t).Header.Values(name); len(got) > 0 && !slices.Equal(got, []string{"kept-a", "kept-b", "kept-c"}) {
			t.Errorf("API saw %s: %q", name, got)
		}
	}
}

// TestRepeatedAnswerHeaders: the same for answers. The web server keeps some headers as
// one value; of those no line gets lost either.
func TestRepeatedAnswerHeaders(t *testing.T) {
	h := open(t, settings{})
	list := map[string]string{"Content-Encoding": "aa, bb, cc", "Vary": "aa, bb, cc"} // one line that says the same
	for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Disposition", "Content-Range", "Location", "Link", "Vary", "Cache-Control", "Expires", "Age", "Etag", "Warning", "X-Theirs", "x-lower",
		"Content-Security-Policy", "Server", "Set-Cookie", "Date", "Trailer", "Upgrade", "Keep-Alive", "Last-Modified", "Accept-Ranges", "Retry-After", "Connection", "Content-Md5", "Server-Timing"} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"text/plain"}
			w.Header()[name] = []string{"aa", "bb", "cc"}
			_, _ = io.WriteString(w, "body")
		})
		got := h.call("GET /open/x")
		if got.StatusCode != 200 {
			t.Errorf("%s: %s", name, got.Status)
			continue
		}
		values := got.Header.Values(name)
		theirs := strings.Contains(strings.Join(values, ","), "aa") || strings.Contains(strings.Join(values, ","), "bb") || strings.Contains(strings.Join(values, ","), "cc")
		if whole := slices.Equal(values, []string{"aa", "bb", "cc"}) || len(values) == 1 && values[0] == list[name]; theirs && !whole {
			t.Errorf("browser saw %s: %q", name, values)
		}
		if list[name] != "" && !theirs {
			t.Errorf("browser saw no %s", name)
		}
	}
}

// TestTwoTypes: Content-Type is one value. Lines that differ are refused, whichever
// route they come by; equal ones say it once.
func TestTwoTypes(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	types := func(values ...string) {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = values
			_, _ = io.WriteString(w, "body")
		})
	}
	for _, path := range []string{"/api/x", "/plain/x", "/open/x"} {
		for _, values := range [][]string{{"text/plain", "text/html"}, {"text/html", "text/plain"}, {"text/html", "text/html", "text/plain"}, {"text/html", ""}, {"text/html", "text/html; charset=utf-8"}} {
			types(values...)
			got := h.call("GET "+path, cookie, sameOrign)
			h.want(got, 502, "upstream_invalid")
			if strings.Contains(got.body, "body") {
				t.Errorf("%s %q: %s", path, values, got.body)
			}
		}
		types("text/plain", "text/plain")
		if got := h.call("GET "+path, cookie, sameOrign); got.StatusCode != 200 || !slices.Equal(got.Header.Values("Content-Type"), []string{"text/plain"}) {
			t.Errorf("%s, equal lines: %s %q", path, got.Status, got.Header.Values("Content-Type"))
		}
	}
	if !strings.Contains(h.logs.String(), "Content-Type lines that differ") {
		t.Error("the log does not say why")
	}
}

// TestOfferedProtocols: Sec-WebSocket-Protocol in several lines is one list, of which
// the API may choose any member and nothing else.
func TestOfferedProtocols(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	ask := func(choice string) int {
		h.api.Say(func(w http.ResponseWriter, r *http.Request) {
			c, b, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: " + choice + "\r\n\r\n")
			_ = b.Flush()
			_, _ = io.Copy(io.Discard, c)
		})
		request := replaced(handshake(cookie, "Upgrade"), "Upgrade: websocket\r\n", "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\nX-Kept: a\r\nsec-websocket-protocol: graphql-ws, \r\nSec-WebSocket-Protocol: v2\r\n")
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(c, request)
		got, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.StatusCode
	}
	for _, choice := range []string{"chat", "graphql-ws", "v2"} {
		if got := ask(choice); got != 101 {
			t.Errorf("%s: %d", choice, got)
		}
		in := h.api.Last(t).Header
		if got := strings.Join(in.Values("Sec-Websocket-Protocol"), "|"); got != "chat, graphql-ws,, v2" || in.Get("X-Kept") != "a" {
			t.Errorf("API saw %q, %v", got, in)
		}
	}
	if got := ask("other"); got != 502 {
		t.Errorf("not offered: %d", got)
	}
}
