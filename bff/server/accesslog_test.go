package server_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestLoggedBytes: a line says how long the body was that left, whoever wrote it.
func TestLoggedBytes(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	for _, request := range []string{"GET /bff/session", "GET /bff/client.js", "GET /api/items", "GET /nowhere", "HEAD /bff/session"} {
		got := h.call(request, cookie, sameOrign)
		id := got.Header.Get("X-Request-Id")
		for line := range strings.Lines(h.logs.String()) {
			var call struct {
				RequestID string `json:"request_id"`
				BytesOut  int    `json:"bytes_out"`
			}
			if json.Unmarshal([]byte(line), &call) == nil && call.RequestID == id && call.BytesOut != len(got.body) {
				t.Errorf("%s: %d bytes in the log, %d came", request, call.BytesOut, len(got.body))
			}
		}
	}
}
