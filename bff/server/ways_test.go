package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/rig"
)

const wayward = `
listen: "127.0.0.1:0"
sessions: {store: "${STORE}", prefix: "${PREFIX}", keys: ["${KEY}"], near_cache: "${NEAR}"}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      answers: [{status: 403, means: account_disabled}, {at: /mfa, step: otp}]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user}
      steps:
        otp: {fields: [otp], keep: {mfa: /mfa}, request: {path: /otp, body: {m: "{mfa}", c: "{otp}"}}}
    ways:
      sign_up:
        fields: [email, password, "name?"]
        request: {path: /register, body: {mail: "{email}", password: "{password}", name: "{name}"}}
        answers: [{status: 202, means: accepted}, {at: /mfa, step: otp}]
      magic: {fields: [code], request: {path: /magic, body: {code: "{code}"}}}
    exchanges:
      organisation: {fields: [organisation], request: {path: /switch-tenant, body: {id: "{organisation}"}}}
      password:
        fields: [old, new]
        request: {method: PUT, path: "/users/{access_token}/password", body: {old: "{old}", new: "{new}", token: "{access_token}"}}
        answers: [{status: 202, means: accepted}]
      become: {fields: [who], request: {path: /impersonate, body: {who: "{who}"}}}
      again: {request: {path: /again}}
    refresh: {request: {path: /auth/refresh, body: {refresh_token: "{refresh_token}"}}, rejected: [401]}
    logout: {request: {path: /auth/logout}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id, name], ways: [sign_up], exchanges: [organisation, password, become, again]}
    throttle: {account: 3, address: 50}
    routes: [{path: /api/, upstream: api, rewrite: /}]
  desk:
    origins: ["https://desk.example.com"]
    login: {upstream: api, fields: [email, password]}
    routes: [{path: /api/, upstream: api, rewrite: /}]
`

// minting is an API that gives tokens in many places: t1, t2, …
type minting struct {
	mu     sync.Mutex
	tokens int
	asked  []string
}

func (m *minting) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(body))
	text := string(body)
	give := func(user string) {
		m.tokens++
		fmt.Fprintf(w, `{"access_token":"%s%d"%s}`, rig.TokenMark, m.tokens, user)
	}
	const ada = `,"refresh_token":"r1","user":{"id":"7","name":"Ada"}`
	switch {
	case strings.Contains(text, "wrong"):
		w.WriteHeader(401)
	case strings.Contains(text, "broken"):
		w.WriteHeader(500)
	case strings.Contains(text, "later"):
		w.WriteHeader(202)
	case strings.Contains(text, "factor"):
		_, _ = io.WriteString(w, `{"mfa":"m1"}`)
	case r.URL.Path == "/register", r.URL.Path == "/auth/login", r.URL.Path == "/otp":
		give(ada)
	case r.URL.Path == "/impersonate":
		give(`,"user":{"id":"8","name":"Bob"}`)
	case r.URL.Path == "/again":
		give(`,"user":{"id":"7","name":"Ada II"}`)
	case r.URL.Path == "/switch-tenant", strings.HasSuffix(r.URL.Path, "/password"):
		give("")
	case r.URL.Path == "/auth/logout":
	default:
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}
}

func (m *minting) last() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[len(m.asked)-1]
}

func openWayward(t *testing.T, s settings) (*house, *minting) {
	t.Helper()
	s.config = wayward
	h, m := open(t, s), &minting{}
	h.api.Say(m.serve)
	return h, m
}

func (h *house) exchange(name, body, cookie string) answer {
	h.t.Helper()
	return h.call("POST /bff/exchange/"+name+"\n\n"+body, shop, xcsrf, json_, cookie)
}

// userOf is the user of a session document.
func userOf(t testing.TB, a answer) string {
	t.Helper()
	var doc struct {
		Authenticated bool
		User          json.RawMessage
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || !doc.Authenticated {
		t.Fatalf("document: %s", a.body)
	}
	return string(doc.User)
}

// TestSignUp: a way in of its own, by the names of login's mapping, that signs in.
func TestSignUp(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h, m := openWayward(t, s)
			got := h.post(`{"way":"sign_up","email":"ada@x.test","password":"pw"}`)
			h.want(got, 200, "")
			if user := userOf(t, got); user != `{"id":"7","name":"Ada"}` || strings.Contains(got.body, rig.TokenMark) {
				t.Errorf("document: %s", got.body)
			}
			if last := m.last(); last != `POST /register  {"mail":"ada@x.test","password":"pw"}` {
				t.Errorf("API saw %s", last)
			}
			cookie := "Cookie: " + cookieOf(t, got)
			if got = h.call("GET /api/x", cookie, sameOrign); got.body != "Bearer "+rig.TokenMark+"1" {
				t.Errorf("call: %s", got.body)
			}
			// A step of login's follows a way as well, and comes back to it.
			got = h.post(`{"way":"sign_up","email":"ada@x.test","password":"factor"}`, cookie)
			if got.body != `{"authenticated":false,"step":"otp","fields":["otp"]}` {
				t.Fatalf("step: %s", got.body)
			}
			value, _, _ := strings.Cut(set(got)[stepCookie], ";")
			h.want(h.post(code("1"), cookie+"; "+stepCookie+"="+value), 200, "")
		})
	}
}

// TestWaysRefused: what is not offered, is malformed, or the API refuses.
func TestWaysRefused(t *testing.T) {
	h, m := openWayward(t, settings{})
	for body, code := range map[string]string{
		`{"way":"magic","code":"1"}`:                           "bad_request", // the upstream has it, the frontend does not list it
		`{"way":"","email":"a","password":"p"}`:                "bad_request",
		`{"way":"sign_up","email":"a"}`:                        "bad_request",
		`{"way":"sign_up","email":"a","password":"p","x":"y"}`: "bad_request",
		`{"email":"a","password":"p","name":"y"}`:              "bad_request", // login has no such field
	} {
		h.want(h.post(body), 400, code)
	}
	if m.tokens != 0 || len(m.asked) != 0 {
		t.Errorf("API saw %v", m.asked)
	}
	got := h.call("POST /bff/login\n\n"+`{"way":"sign_up","email":"a","password":"p"}`, "Origin: https://desk.example.com", "Host: desk.example.com", xcsrf, json_)
	h.want(got, 400, "bad_request")
	// To be confirmed first: nobody is signed in, and no count is cleared.
	for range 4 {
		got = h.post(`{"way":"sign_up","email":"a","password":"later"}`)
		if got.StatusCode != 200 || got.body != `{"authenticated":false}` || len(got.Header["Set-Cookie"]) != 0 {
			t.Errorf("accepted: %d %s %v", got.StatusCode, got.body, got.Header)
		}
	}
	h.want(h.post(`{"way":"sign_up","email":"a","password":"broken"}`), 502, "upstream_invalid")
	for range 3 {
		h.want(h.post(`{"way":"sign_up","email":"a","password":"wrong"}`), 401, "invalid_credentials")
		h.want(h.post(`{"way":"sign_up","email":"b","password":"later"}`), 200, "")
	}
	h.want(h.post(`{"way":"sign_up","email":"a","password":"p"}`), 429, "too_many_attempts")
	h.want(h.post(loginBody("a", "p")), 429, "too_many_attempts") // one account, whichever way
	h.want(h.post(loginBody("b", "p")), 200, "")
}

// TestWaysAreClosed: no route reaches the requests of ways, exchanges and their steps.
func TestWaysAreClosed(t *testing.T) {
	h, _ := openWayward(t, settings{})
	cookie := h.signIn("ada@x.test")
	for _, path := range []string{"register", "magic", "switch-tenant", "users/7/password", "impersonate", "again", "otp"} {
		h.want(h.call("POST /api/"+path, shop, xcsrf, cookie), 404, "not_found")
	}
	h.want(h.call("GET /bff/exchange/organisation", cookie, sameOrign), 405, "method_not_allowed")
	h.want(h.call("POST /bff/exchange/organisation/x", cookie, shop, xcsrf), 404, "not_found")
	h.want(h.exchange("nothing", "{}", cookie), 404, "not_found")
	h.want(h.call("POST /bff/exchange/organisation\n\n{}", "Origin: https://evil.example", xcsrf, json_, cookie), 403, "origin_not_allowed")
	h.want(h.call("POST /bff/exchange/organisation\n\n{}", shop, json_, cookie), 403, "csrf_header_missing")
	h.want(h.call("POST /bff/exchange/organisation\n\n"+`{"organisation":"2"}`, "Host: desk.example.com", "Origin: https://desk.example.com", xcsrf, json_), 404, "not_found")
}

// TestSwitchOrganisation: the organisation is switched: a new token, a new ticket, the old one is
// dead, and the person's stream runs on.
func TestSwitchOrganisation(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h, m := openWayward(t, s)
			first := h.signIn("ada@x.test")
			next, left := make(chan struct{}), make(chan struct{})
			h.api.Say(ticker(next, left))
			_, stream := h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + first + "\r\n\r\n")
			h.api.Say(m.serve)
			got := h.exchange("organisation", `{"organisation":"2"}`, first)
			h.want(got, 200, "")
			if user := userOf(t, got); user != `{"id":"7","name":"Ada"}` || strings.Contains(got.body, rig.TokenMark) {
				t.Errorf("document: %s", got.body)
			}
			if last := m.last(); last != `POST /switch-tenant Bearer `+rig.TokenMark+`1 {"id":"2"}` {
				t.Errorf("API saw %s", last)
			}
			second := "Cookie: " + cookieOf(t, got)
			h.want(h.call("GET /api/x", first, sameOrign), 401, "session_expired")
			if got = h.call("GET /api/x", second, sameOrign); got.body != "Bearer "+rig.TokenMark+"2" {
				t.Errorf("call: %s", got.body)
			}
			next <- struct{}{}
			if line, err := bufio.NewReader(stream.Body).ReadString('\n'); line != "data: 1\n" {
				t.Errorf("stream: %q, %v", line, err)
			}
			h.want(h.exchange("organisation", `{"organisation":"3"}`, first), 401, "session_expired")
			// What changes the person's name only is the same person; a missing body is an empty one.
			if got = h.call("POST /bff/exchange/again", shop, xcsrf, second); userOf(t, got) != `{"id":"7","name":"Ada II"}` {
				t.Errorf("again: %s", got.body)
			}
			third := "Cookie: " + cookieOf(t, got)
			h.want(h.call("POST /bff/logout", third, shop, xcsrf), 204, "")
			wait(t, "the stream to end", left)
			rig.Until(t, "the API to be told of the sign-out", func() bool { return m.last() == "POST /auth/logout Bearer "+rig.TokenMark+"3 " })
		})
	}
}

// TestSwitchRefused: a refusal is a sign-in's, counted for the person, and the session
// stays as it was.
func TestSwitchRefused(t *testing.T) {
	h, m := openWayward(t, settings{})
	h.want(h.exchange("password", `{"old":"a","new":"b"}`, ""), 401, "not_authenticated")
	cookie := h.signIn("ada@x.test")
	for _, body := range []string{"{}", `{"old":"a"}`, `{"old":"a","new":"b","way":"x"}`, "", "x"} {
		h.want(h.exchange("password", body, cookie), 400, "bad_request")
	}
	h.want(h.call("POST /bff/exchange/password\n\nold=a", shop, xcsrf, cookie, "Content-Type: application/x-www-form-urlencoded"), 415, "unsupported_media_type")
	got := h.exchange("password", `{"old":"a","new":"later"}`, cookie)
	if userOf(t, got) != `{"id":"7","name":"Ada"}` || len(got.Header["Set-Cookie"]) != 0 {
		t.Errorf("accepted: %s %v", got.body, got.Header)
	}
	h.want(h.exchange("password", `{"old":"broken","new":"b"}`, cookie), 502, "upstream_invalid")
	for range 3 {
		h.want(h.exchange("password", `{"old":"wrong","new":"b"}`, cookie), 401, "invalid_credentials")
	}
	h.want(h.exchange("password", `{"old":"a","new":"b"}`, cookie), 429, "too_many_attempts")
	if got = h.call("GET /api/x", cookie, sameOrign); got.body != "Bearer "+rig.TokenMark+"1" {
		t.Errorf("call: %s", got.body)
	}
	h.want(h.post(loginBody("7", "pw")), 200, "") // nobody's sign-in counts with it
	if m.tokens != 2 {
		t.Errorf("%d tokens", m.tokens)
	}
}

// TestSwitchToAnother: who acts for somebody else is somebody else, with nothing of
// the first one's.
func TestSwitchToAnother(t *testing.T) {
	h, m := openWayward(t, settings{store: redisURL})
	first := h.signIn("ada@x.test")
	next, left := make(chan struct{}), make(chan struct{})
	h.api.Say(ticker(next, left))
	h.stream("GET /api/events HTTP/1.1\r\nHost: shop.example.com\r\n" + first + "\r\n\r\n")
	h.api.Say(m.serve)
	got := h.exchange("become", `{"who":"bob"}`, first)
	if userOf(t, got) != `{"id":"8","name":"Bob"}` {
		t.Fatalf("become: %s", got.body)
	}
	wait(t, "the first one's stream to end", left)
	if got = h.call("GET /bff/sessions", "Cookie: "+cookieOf(t, got), sameOrign); strings.Count(got.body, `"id"`) != 1 || !strings.Contains(got.body, `"current":true`) {
		t.Errorf("list: %s", got.body)
	}
}
