package server_test

import (
	"strings"
	"testing"

	"coatcheck/bff/freeport"
)

// TestDevServerAway: a person who opens the page is told which server does not answer, and how to
// start it; a script gets the document as ever; the log has the reason. An API that is
// away is not taken for the development server.
func TestDevServerAway(t *testing.T) {
	address := "http://127.0.0.1:" + freeport.Text(t)
	h := open(t, withSPA(`{proxy: "`+address+`"}`))
	for range 12 { // more than the breaker bears: the page stays the same
		got := h.call("GET /deep/link", "Sec-Fetch-Mode: navigate")
		for _, want := range []string{"<h1>The development server does not answer</h1>", address, "npm run dev"} {
			if got.StatusCode != 502 || !strings.Contains(got.body, want) {
				t.Fatalf("%d, no %q in %s", got.StatusCode, want, got.body)
			}
		}
	}
	h.want(h.call("GET /deep/link", sameOrign), 502, "upstream_unreachable")
	if log := h.logs.String(); !strings.Contains(log, "connection refused") {
		t.Errorf("the log does not say why: %s", log)
	}
}
