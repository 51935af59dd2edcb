package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// lineOf is the line of a call: what it says went wrong, and how often it is there.
func lineOf(h *house, got answer) (said string, lines int) {
	h.t.Helper()
	for line := range strings.Lines(h.logs.String()) {
		var l struct {
			Msg       string `json:"msg"`
			RequestID string `json:"request_id"`
			Error     string `json:"error"`
		}
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "call" && l.RequestID == got.Header.Get("X-Request-Id") {
			said, lines = l.Error, lines+1
		}
	}
	return said, lines
}

// TestRefusalsSayWhichCause: a code that may have several causes is in the log with the one
// that it had, and the answer does not hold it.
func TestRefusalsSayWhichCause(t *testing.T) {
	keys := newKeys()
	h := open(t, settings{edit: withPrograms(keys)})
	ticket := h.signIn("ada@example.com")
	over := h.signIn("over@example.com")
	h.call("POST /bff/logout", xcsrf, shop, over)
	login := "POST /bff/login\n\n" + loginBody("ada@example.com", "MARKED-password")
	both := "Host: both.example.com"
	for _, row := range []struct {
		name, request string
		headers       []string
		status        int
		code, why     string
	}{
		{"another type", login, []string{xcsrf, shop, "Content-Type: text/plain; x=MARKED"}, 415, "unsupported_media_type", "Content-Type is not application/json"},
		{"another charset", login, []string{xcsrf, shop, json_ + "; charset=latin1"}, 415, "unsupported_media_type", "Content-Type is not application/json in UTF-8"},
		{"no type", login, []string{xcsrf, shop}, 415, "unsupported_media_type", "not exactly one Content-Type"},
		{"coded", login, []string{xcsrf, shop, json_, "Content-Encoding: gzip"}, 415, "unsupported_media_type", "Content-Encoding"},
		{"announced too large", "POST /bff/login\n\n" + strings.Repeat("x", 9000), []string{xcsrf, shop, json_}, 413, "body_too_large", "8 KiB"},
		{"encoded slash", "GET /api/a%2Fb", []string{shop, ticket}, 400, "bad_path", "encoded_slash: pass"},
		{"two slashes", "GET /root//x", []string{shop, ticket}, 400, "bad_path", "two slashes"},
		{"closed path", "GET /v/../auth", []string{shop, ticket}, 400, "bad_path", ""}, // the path itself says it
		{"path of the sign-in", "GET /root/auth/login", []string{shop, ticket}, 404, "not_found", "the API's sign-in"},
		{"no route", "GET /nowhere", []string{shop, ticket}, 404, "not_found", ""},
		{"no frontend", "GET /bff/session", []string{apiHost}, 400, "frontend_undetermined", "neither Origin, X-Frontend nor base path"},
		{"unknown frontend of a page", "GET /bff/session", []string{apiHost, "X-Frontend: MARKED", "Sec-Fetch-Site: same-origin"}, 400, "frontend_undetermined", "does not count beside Sec-Fetch-Site"},
		{"unknown frontend", "GET /bff/session", []string{apiHost, "X-Frontend: MARKED"}, 400, "frontend_undetermined", "X-Frontend names none"},
		{"origin without path", "GET /elsewhere", []string{both, "Origin: https://pages.example.com"}, 400, "frontend_undetermined", "origin has the path"},
		{"bad handshake", "GET /api/long/x", []string{shop, ticket, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 12"}, 400, "bad_request", "WebSocket"},
		{"signed out", "GET /api/x", []string{shop, over}, 401, "session_expired", "session: over: signed_out"},
		{"never signed in", "GET /api/x", []string{shop}, 401, "not_authenticated", ""},
		{"wrong password", login, []string{xcsrf, shop, json_}, 401, "invalid_credentials", "upstream refused"},
		{"somebody else's session", "DELETE /bff/sessions/MARKED", []string{xcsrf, shop, ticket}, 404, "not_found", "no such session"},
		{"two keys", "GET /v1/x", []string{door, bearer(keys["excel"]), "X-Api-Key: MARKED"}, 400, "two_credentials", "several keys"},
		{"a key and a session", "GET /both/x", []string{bearer(keys["excel"]), ticket}, 400, "two_credentials", "a key and the cookie"},
		{"no key", "GET /v1/x", []string{door}, 401, "caller_unknown", "no proof came"},
		{"no key, at once again", "GET /v1/x", []string{door}, 401, "caller_unknown", "no proof came"},
		{"from elsewhere", "GET /v1/x", []string{door, bearer(keys["far"])}, 403, "caller_not_allowed", "addresses"},
		{"signed wrongly", "POST /hooks/x\n\n{}", []string{door, "X-Id: 1", "X-At: 1", "X-Signature: MARKED"}, 401, "signature_invalid", "signature rule 0: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := h.call(row.request, row.headers...)
			h.want(got, row.status, row.code)
			said, lines := lineOf(h, got)
			if lines != 1 || !strings.Contains(said, row.why) || row.why == "" && said != "" {
				t.Errorf("%d lines, the last says %q, want %q", lines, said, row.why)
			}
			if row.why != "" && strings.Contains(got.body, row.why) {
				t.Errorf("the browser learns %s", got.body)
			}
		})
	}
	var got answer
	for range 11 {
		got = h.call("POST /bff/login\n\n"+loginBody("locked@example.com", "MARKED-wrong"), xcsrf, shop, json_)
	}
	h.want(got, 429, "too_many_attempts")
	if said, _ := lineOf(h, got); !strings.Contains(said, "too many failed sign-ins of the account") {
		t.Errorf("of too many failed sign-ins the log says %q", said)
	}
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) })
	got = h.call("GET /api/x", shop, ticket)
	h.want(got, 502, "upstream_invalid")
	if said, _ := lineOf(h, got); !strings.Contains(said, "status 407") {
		t.Errorf("of a proxy's challenge the log says %q", said)
	}
	for line := range strings.Lines(h.logs.String()) {
		if strings.Contains(strings.Replace(line, `"path":"/bff/sessions/MARKED"`, "", 1), "MARKED") {
			t.Errorf("bytes of a request stand in the log: %s", line)
		}
	}
}
