package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// What people who stand between pages and APIs met in the field, each with the answer
// that is right. The configuration is the smallest that signs people in.
const caseBase = `
listen: "127.0.0.1:0"
sessions: {store: "${STORE}", prefix: "${PREFIX}", keys: ["${KEY}"], near_cache: "${NEAR}"}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id, email, name]}
    routes: [{path: /api/, upstream: api, rewrite: /}]
`

// caseAPI answers the sign-in with tokens t1, t2, …, counts what comes, and leaves the
// rest to paths.
type caseAPI struct {
	mu    sync.Mutex
	asked []string
	login string // the answer to a sign-in; empty: the usual
	paths map[string]http.HandlerFunc
}

// openCase builds a house of caseBase. edits are pairs of what is replaced and by what.
func openCase(t *testing.T, edits ...string) (*house, *caseAPI) {
	t.Helper()
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(caseBase, edits[i]) {
			t.Fatalf("%q is not in the configuration", edits[i])
		}
	}
	h, a := open(t, settings{config: strings.NewReplacer(edits...).Replace(caseBase)}), &caseAPI{paths: map[string]http.HandlerFunc{}}
	h.api.Say(a.serve)
	return h, a
}

func (a *caseAPI) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.asked = append(a.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(body))
	serve := a.paths[r.URL.Path]
	a.mu.Unlock()
	switch {
	case serve != nil:
		serve(w, r)
	case r.URL.Path != "/auth/login":
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	case a.login != "":
		_, _ = io.WriteString(w, a.login)
	default:
		_, _ = io.WriteString(w, `{"access_token":"t1","refresh_token":"r1","expires_in":3600,"user":{"id":"7","email":"a@x.test","name":"Ada"}}`)
	}
}

// count is how often something began so.
func (a *caseAPI) count(begin string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.asked {
		if strings.HasPrefix(line, begin) {
			n++
		}
	}
	return n
}

// says is a path with one answer.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// TestCaseSwitchOrganisation: the new token is the session's, and no page reads it.
func TestCaseSwitchOrganisation(t *testing.T) {
	h, a := openCase(t,
		"      user: {from: response, at: /user}\n", "      user: {from: response, at: /user}\n    exchanges: {organisation: {fields: [id], request: {path: /switch-tenant, body: {id: \"{id}\"}}}}\n",
		"expose: [id, email, name]}", "expose: [id, email, name], exchanges: [organisation]}")
	a.paths["/switch-tenant"] = says(200, `{"access_token":"t2","expires_in":3600}`)
	cookie := h.signIn("ada@x.test")
	got := h.exchange("organisation", `{"id":"2"}`, cookie)
	if strings.Contains(got.body, "t2") || userOf(t, got) != `{"email":"a@x.test","id":"7","name":"Ada"}` {
		t.Errorf("document: %s", got.body)
	}
	if a.count("POST /switch-tenant Bearer t1 ") != 1 {
		t.Errorf("API saw %q", a.asked)
	}
	if got = h.call("GET /api/orders", "Cookie: "+cookieOf(t, got), sameOrign); got.body != "Bearer t2" {
		t.Errorf("call: %s", got.body)
	}
}

// TestCasePasswordChange: the session goes on with the token that a new password gives,
// where nothing renews it.
func TestCasePasswordChange(t *testing.T) {
	h, a := openCase(t,
		"refresh_token: /refresh_token, expires_in: /expires_in}\n      user: {from: response, at: /user}\n",
		"refresh_token: /refresh_token}\n      user: {from: response, at: /user}\n    exchanges: {password: {fields: [old, new], request: {path: /change-password, body: {old: \"{old}\", new: \"{new}\"}}}}\n",
		"expose: [id, email, name]}", "expose: [id, email, name], exchanges: [password]}")
	a.login = `{"access_token":"t1","user":{"id":"7"}}`
	a.paths["/change-password"] = says(200, `{"access_token":"t2"}`)
	a.paths["/x"] = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t2" {
			w.WriteHeader(401)
		}
		fmt.Fprint(w, "theirs")
	}
	got := h.exchange("password", `{"old":"a","new":"b"}`, h.signIn("ada@x.test"))
	cookie := "Cookie: " + cookieOf(t, got)
	if got = h.call("GET /api/x", cookie, sameOrign); got.StatusCode != 200 || got.body != "theirs" {
		t.Errorf("call: %d %s", got.StatusCode, got.body)
	}
	if got = h.call("GET /bff/session", cookie, sameOrign); !strings.Contains(got.body, `"authenticated":true`) {
		t.Errorf("session: %s", got.body)
	}
}
