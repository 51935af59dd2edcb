package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// TestWhoEndedStream: the line of a stream says who ended it. Only what broke off at the API is
// the API's: a closed tab, a sign-out and the end of the process are everyday events.
func TestWhoEndedStream(t *testing.T) {
	const ended = "stream ended with its session, the proof of its caller, or the process"
	for name, row := range map[string]struct {
		end  func(h *house, c net.Conn, cookie string)
		want []string // of the line; with "!" what it must not hold
	}{
		"the browser": {func(_ *house, c net.Conn, _ string) { _ = c.Close() }, []string{`"code":"browser_left"`, "!upstream_broken"}},
		"a sign-out": {func(h *house, _ net.Conn, cookie string) {
			h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "")
		}, []string{`"error":"` + ended + `"`, "!upstream_broken", `!"code"`}},
		"a drain": {func(h *house, _ net.Conn, _ string) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_ = h.server.Shutdown(ctx)
		}, []string{`"error":"` + ended + `"`, "!upstream_broken", `!"code"`}},
		"the API": {func(h *house, _ net.Conn, _ string) { h.api.CloseClientConnections() }, []string{`"code":"upstream_broken"`}},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, settings{edit: func(s string) string { return "drain: {timeout: 20ms}\n" + s }})
			cookie := h.signIn("ada@x.test")
			left := make(chan struct{})
			h.api.Say(ticker(nil, left))
			c, got := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
			h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			row.end(h, c, cookie)
			if name != "the browser" {
				_, _ = io.Copy(io.Discard, got.Body)
			}
			line := ""
			rig.Until(t, "the line of the stream", func() bool {
				for l := range strings.Lines(h.logs.String()) {
					if strings.Contains(l, `"path":"/api/events"`) {
						line = l
					}
				}
				return line != ""
			})
			for _, want := range row.want {
				text, not := strings.CutPrefix(want, "!")
				if strings.Contains(line, text) == not {
					t.Errorf("want %s in %s", want, line)
				}
			}
		})
	}
}
