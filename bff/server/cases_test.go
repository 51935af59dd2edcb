package server_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/rig"
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
	a.paths["/switch-tenant"] = says(200, `{"access_token":"MARKED-TOKEN","expires_in":3600}`)
	cookie := h.signIn("ada@x.test")
	got := h.exchange("organisation", `{"id":"2"}`, cookie)
	if strings.Contains(got.body, "MARKED-TOKEN") || userOf(t, got) != `{"email":"a@x.test","id":"7","name":"Ada"}` {
		t.Errorf("document: %s", got.body)
	}
	if a.count("POST /switch-tenant Bearer t1 ") != 1 {
		t.Errorf("API saw %q", a.asked)
	}
	if got = h.call("GET /api/orders", "Cookie: "+cookieOf(t, got), sameOrign); got.body != "Bearer MARKED-TOKEN" {
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

// TestCaseTokenOfAHundredYears: an end that makes no sense refuses nobody, and is said
// once an hour.
func TestCaseTokenOfAHundredYears(t *testing.T) {
	h, a := openCase(t)
	for _, in := range []string{"3153600000", "315360001", "0", "-1", `"1d"`, `"1h"`, `""`, "null", "[1]", "1e400"} {
		a.login = `{"access_token":"t","expires_in":` + in + `,"user":{"id":1,"email":"e"}}`
		got := h.post(loginBody("a", "pw"))
		if got.StatusCode != 200 || !strings.Contains(got.body, `"expires_in":43`) {
			t.Errorf("%s: %d %s", in, got.StatusCode, got.body)
		}
	}
	if n := strings.Count(h.logs.String(), "and that is ignored"); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// TestCaseClockOfTheAPIIsBehind: a time left needs no clock; without one, a token that has
// ended by every clock at hand is the API's fault, and the log speaks of clocks.
func TestCaseClockOfTheAPIIsBehind(t *testing.T) {
	h, a := openCase(t)
	claims := fmt.Sprintf(`{"sub":"u","iat":%d,"exp":%d}`, time.Now().Unix()-610, time.Now().Unix()-10)
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
	a.login = `{"access_token":"` + token + `","refresh_token":"r","expires_in":300,"user":{"id":"7"}}`
	h.want(h.post(loginBody("a", "pw")), 200, "")
	a.login = `{"access_token":"` + token + `","refresh_token":"r","user":{"id":"7"}}`
	h.want(h.post(loginBody("a", "pw")), 502, "upstream_invalid")
	if !strings.Contains(h.logs.String(), "clock may be behind") {
		t.Error("the log does not speak of clocks")
	}
}

// TestPagesAreNoRefusal: a firewall's page counts against nobody, unless the file names
// its status.
func TestPagesAreNoRefusal(t *testing.T) {
	const page = "<!DOCTYPE html><title>Are you human?</title>"
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(403)
		_, _ = io.WriteString(w, page)
	}
	bare := says(401, page) // by how it begins
	h, a := openCase(t, "      rejected: [401]\n", "", "routes:", "throttle: {account: 1}\n    routes:")
	for range 3 {
		for _, answer := range []http.HandlerFunc{html, bare} {
			a.paths["/auth/login"] = answer
			h.want(h.post(loginBody("a", "pw")), 502, "upstream_invalid")
		}
	}
	a.paths["/auth/login"] = says(401, `{}`)
	h.want(h.post(loginBody("a", "pw")), 401, "invalid_credentials")
	for _, named := range []string{"rejected: [403]", "answers: [{status: 403, means: invalid_credentials}]"} {
		h, a = openCase(t, "rejected: [401]", named)
		a.paths["/auth/login"] = html
		h.want(h.post(loginBody("a", "pw")), 401, "invalid_credentials")
	}
}

// TestKeptIsTheCredential: the session that a first answer began is the credential once a
// code was right, and what the page sent first is known to the step.
func TestKeptIsTheCredential(t *testing.T) {
	h, a := openCase(t, "      rejected: [401]\n", `      rejected: [401]
      answers: [{status: 403, at: /code, is: verify, step: code}]
      steps:
        code:
          fields: [otp]
          keep: {sid: {cookie: session}, email: "{email}"}
          request: {method: PUT, path: /verify, headers: {X-Session: "{sid}"}, body: {token: "{otp}", email: "{email}"}}
          answers: []
          credential: {access_token: "{sid}", email: "{email}"}
`, "      user: {from: response, at: /user}\n", "      user: {from: request, path: /me}\n    send: {headers: {X-Who: \"{email}\", X-Session: \"{access_token}\"}}\n")
	var session, who string
	a.paths["/auth/login"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=s1; HttpOnly")
		says(403, `{"code":"verify"}`)(w, r)
	}
	a.paths["/verify"] = func(w http.ResponseWriter, r *http.Request) { session = r.Header.Get("X-Session"); w.WriteHeader(200) }
	a.paths["/me"] = says(200, `{"id":"7"}`)
	a.paths["/x"] = func(_ http.ResponseWriter, r *http.Request) {
		who = r.Header.Get("X-Who") + " " + r.Header.Get("X-Session")
	}
	value, _, _ := strings.Cut(set(h.post(loginBody("ada@x.test", "pw")))[stepCookie], ";")
	got := h.post(`{"step":"code","otp":"1"}`, "Cookie: "+stepCookie+"="+value)
	if userOf(t, got) != `{"id":"7"}` || session != "s1" || a.count(`PUT /verify  {"email":"ada@x.test","token":"1"}`) != 1 {
		t.Errorf("%s, session %s\n%q", got.body, session, a.asked)
	}
	value, _, _ = strings.Cut(set(got)[shopCookie], ";")
	h.want(h.call("GET /api/x", "Cookie: "+shopCookie+"="+value, sameOrign), 200, "")
	if who != "ada@x.test s1" {
		t.Errorf("calls carry %q", who)
	}
}

// TestTokenNet: a token in a proxied answer is seen, where the mapping takes it and as a
// JWT of the same issuer, and a route can refuse it.
func TestTokenNet(t *testing.T) {
	jwt := func(issuer, who string) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+issuer+`","sub":"`+who+`"}`)) + ".x"
	}
	h, a := openCase(t, "routes: [{path: /api/, upstream: api, rewrite: /}]", "routes: [{path: /api/, upstream: api, rewrite: /}, {path: /safe/, upstream: api, rewrite: /, block_tokens: true}]")
	a.login = `{"access_token":"` + jwt("id", "ada") + `","user":{"id":"7"}}`
	large := strings.Repeat("x", 20<<10)
	for path, body := range map[string]string{
		"/place": `{"access_token":"t2"}`, "/refresh": `{"refresh_token":"r2"}`, "/jwt": `{"data":[{"t":"` + jwt("id", "eve") + `"}]}`,
		"/large": `{"x":"` + large + `","access_token":"t2"}`,
		"/other": `{"t":"` + jwt("elsewhere", "eve") + `"}`, "/none": `{"access_token":null,"refresh_token":"no token at all"}`, "/below": `{"data":{"access_token":"t"}}`,
	} {
		a.paths[path] = says(200, body)
	}
	cookie := h.signIn("ada@x.test")
	for path, holds := range map[string]bool{"/place": true, "/refresh": true, "/jwt": true, "/large": true, "/other": false, "/none": false, "/below": false} {
		if got := h.call("GET /api"+path, cookie, sameOrign); got.StatusCode != 200 {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
		inTime(t, func() (late bool, fault string) {
			begun := time.Now()
			got := h.call("GET /safe"+path, cookie, sameOrign)
			late = time.Since(begun) >= lookPatience
			if want := map[bool]string{true: "502 token_in_answer", false: "200 "}[holds]; fmt.Sprint(got.StatusCode, " ", got.code()) != want {
				fault = fmt.Sprintf("%s on the safe route: %d %s, want %s", path, got.StatusCode, got.body, want)
			} else if holds {
				h.want(got, 502, "token_in_answer")
			}
			return late, fault
		})
	}
	if !strings.Contains(h.logs.String(), `"event":"token_passed"`) {
		t.Error("nothing is logged")
	}
	a.paths["/br"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		says(200, "?")(w, r)
	}
	h.want(h.call("GET /safe/br", cookie, sameOrign), 502, "token_in_answer")
}

// TestTokenNetInParts: many servers send an answer's head before its body. What a route
// lets pass is seen in such an answer, too.
func TestTokenNetInParts(t *testing.T) {
	parts := func(head ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for _, length := range head {
				w.Header().Set("Content-Length", length)
			}
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond) // nothing tells that the head was read
			_, _ = io.WriteString(w, `{"access_token":"t2"}`)
		}
	}
	for name, serve := range map[string]http.HandlerFunc{"length": parts("21"), "chunks": parts()} {
		h, a := openCase(t)
		a.paths["/x"] = serve
		ticket := h.signIn("ada@x.test")
		// On a busy machine the second part may come too late to be looked at.
		rig.Until(t, name+": the token is logged", func() bool {
			if got := h.call("GET /api/x", ticket, sameOrign); got.body != `{"access_token":"t2"}` {
				t.Fatalf("%s: %d %s", name, got.StatusCode, got.body)
			}
			return strings.Contains(h.logs.String(), `"event":"token_passed","outcome":"passed"`)
		})
	}
}

// TestCaseBracesInASecret: braces in what a variable holds are a secret's own, and "{{" is
// one brace in what the file says, wherever a {name} may stand.
func TestCaseBracesInASecret(t *testing.T) {
	edited := strings.NewReplacer(
		`body: {email: "{email}", password: "{password}"}}`, `query: {k: "${A}"}, body: {email: "{email}", key: "${B}", whole: "{{email}", text: "a {email} {{b} { c }"}}`,
		"    login:\n", "    send: {headers: {X-Key: \"{{x}${C}\", Authorization: \"Bearer {access_token}\"}}\n    login:\n").Replace(caseBase)
	h, a := open(t, settings{config: edited, values: map[string]string{"A": "{email}", "B": "{password}", "C": "a{b}c{access_token}{{"}}), &caseAPI{paths: map[string]http.HandlerFunc{}}
	h.api.Say(a.serve)
	var key, query string
	a.paths["/x"] = func(_ http.ResponseWriter, r *http.Request) { key = r.Header.Get("X-Key") }
	a.paths["/auth/login"] = func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		_, _ = io.WriteString(w, `{"access_token":"t1","user":{"id":"7"}}`)
	}
	cookie := h.signIn("ada@x.test")
	if want := `{"email":"ada@x.test","key":"{password}","text":"a {email} {b} { c }","whole":"{email}"}`; a.count("POST /auth/login  "+want) != 1 || query != "k=%7Bemail%7D" {
		t.Errorf("API saw %q, ?%s", a.asked, query)
	}
	if h.call("GET /api/x", cookie, sameOrign); key != "{x}a{b}c{access_token}{{" {
		t.Errorf("sent %q", key)
	}
}
