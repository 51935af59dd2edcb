package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// factors is an API that wants a code after the password: 123456.
type factors struct {
	mu      sync.Mutex
	tokens  int
	asked   []string
	ended   []string // tokens that were signed out
	waiting *meeting
}

const stepped = `
listen: "127.0.0.1:0"
sessions: {store: "${STORE}", prefix: "${PREFIX}", keys: ["${KEY}"], near_cache: "${NEAR}"}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      answers:
        - {at: /error, is: wrong_code, means: mfa_required}
        - {status: 422, at: /errors, means: invalid_fields}
        - {at: /mfa_token, step: otp}
        - {at: /mail_token, step: mail}
      credential: {access_token: /token}
      user: {from: response, at: /user}
      steps:
        otp: {fields: [otp, "remember?"], keep: {mfa_token: /mfa_token}, request: {path: /mfa, body: {t: "{mfa_token}", c: "{otp}", r: "{remember}"}}}
        mail: {fields: [code], keep: {m: /mail_token}, request: {path: /mail, body: {t: "{mfa_token}", m: "{m}", c: "{code}"}}}
    logout: {request: {path: /logout}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    throttle: {account: 12, address: 50}
    routes: [{path: /api/, upstream: api}]
  desk:
    origins: ["https://desk.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api}]
`

func (f *factors) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	waiting := f.waiting
	f.mu.Unlock()
	if waiting != nil && r.URL.Path == "/mfa" {
		waiting.came <- struct{}{}
		<-waiting.release
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Path+" "+string(body))
	var in struct{ Password, T, C string }
	_ = json.Unmarshal(body, &in)
	signedIn := func() {
		f.tokens++
		fmt.Fprintf(w, `{"token":"%s%d","user":{"id":"u1","secret":"s"}}`, rig.TokenMark, f.tokens)
	}
	switch r.URL.Path {
	case "/login":
		switch in.Password {
		case "plain":
			signedIn()
		case rig.PasswordMark:
			_, _ = io.WriteString(w, `{"mfa_token":"mfa-MARKED"}`)
		default:
			w.WriteHeader(401)
		}
	case "/mfa":
		switch {
		case in.T != "mfa-MARKED":
			w.WriteHeader(500)
		case in.C == "123456":
			signedIn()
		case in.C == "mail":
			_, _ = io.WriteString(w, `{"mail_token":"m1"}`)
		case in.C == "again":
			_, _ = io.WriteString(w, `{"mfa_token":"mfa-MARKED"}`)
		case in.C == "form":
			w.WriteHeader(422)
			_, _ = io.WriteString(w, `{"errors":{"otp":1,"t":1}}`)
		case in.C == "over":
			w.WriteHeader(401)
		case in.C == "broken":
			w.WriteHeader(500)
		default:
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"error":"wrong_code"}`)
		}
	case "/mail":
		signedIn()
	case "/logout":
		f.ended = append(f.ended, r.Header.Get("Authorization"))
	default:
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}
}

// meeting is where code checks wait for each other.
type meeting struct{ came, release chan struct{} }

// wait makes every code check say that it came, and wait for its release.
func (f *factors) wait() *meeting {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = &meeting{make(chan struct{}), make(chan struct{})}
	return f.waiting
}

// signedOut waits for the one token that is signed out.
func (f *factors) signedOut(t *testing.T) (token string) {
	t.Helper()
	rig.Until(t, "a token to be signed out", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.ended) > 1 {
			t.Fatalf("signed out: %q", f.ended)
		}
		token = strings.Join(f.ended, "")
		return token != ""
	})
	return token
}

func (f *factors) count(path string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.asked {
		if strings.HasPrefix(line, path+" ") {
			n++
		}
	}
	return n
}

func openStepped(t *testing.T, s settings) (*house, *factors) {
	t.Helper()
	s.config = stepped
	h, f := open(t, s), &factors{}
	h.api.Say(f.serve)
	return h, f
}

// set returns the cookies that an answer sets: name to the rest of the line.
func set(a answer) map[string]string {
	all := map[string]string{}
	for _, line := range a.Header["Set-Cookie"] {
		name, rest, _ := strings.Cut(line, "=")
		all[name] = rest
	}
	return all
}

const (
	shopCookie = "__Host-Http-shop"
	stepCookie = "__Host-Http-shop-step"
)

// begin gives the right password and returns the Cookie header of the pending step.
func (h *house) begin(more ...string) string {
	h.t.Helper()
	got := h.post(loginBody("ada@x.test", rig.PasswordMark), more...)
	cookies := set(got)
	value, _, _ := strings.Cut(cookies[stepCookie], ";")
	if got.StatusCode != 200 || got.body != `{"authenticated":false,"step":"otp","fields":["otp","remember?"]}` ||
		len(cookies) != 1 || len(value) != 43 || !strings.HasSuffix(cookies[stepCookie], "; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=300") {
		h.t.Fatalf("first answer: %d %s %v\n%s", got.StatusCode, got.body, cookies, h.logs)
	}
	return "Cookie: " + stepCookie + "=" + value
}

func (h *house) post(body string, headers ...string) answer {
	h.t.Helper()
	return h.call("POST /bff/login\n\n"+body, append([]string{shop, xcsrf, json_}, headers...)...)
}

func code(c string) string { return `{"step":"otp","otp":"` + c + `"}` }

// pending tests whether a reloaded page is told to go on with the step.
func (h *house) pending(want bool, cookie string) {
	h.t.Helper()
	got := h.call("GET /bff/session", sameOrign, cookie)
	doc := `{"authenticated":false}`
	if want {
		doc = `{"authenticated":false,"step":"otp","fields":["otp","remember?"]}`
	}
	if got.StatusCode != 200 || got.body != doc || len(got.Header["Set-Cookie"]) != 0 {
		h.t.Errorf("session document: %d %s, want %s", got.StatusCode, got.body, doc)
	}
}

// TestSecondFactor: password, wrong code, right code; then nothing of the step is left.
func TestSecondFactor(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h, f := openStepped(t, s)
			step := h.begin()
			h.pending(true, step)
			wrong := h.post(code("000000"), step)
			h.want(wrong, 401, "mfa_required")
			if len(wrong.Header["Set-Cookie"]) != 0 {
				t.Errorf("a wrong code sets %q", wrong.Header["Set-Cookie"])
			}
			h.pending(true, step)
			right := h.post(code("123456"), step)
			cookies := set(right)
			ticket, _, _ := strings.Cut(cookies[shopCookie], ";")
			if right.StatusCode != 200 || !strings.Contains(right.body, `"authenticated":true`) || !strings.Contains(right.body, `"user":{"id":"u1"}`) || len(cookies) != 2 || len(ticket) != 43 {
				t.Fatalf("%d %s %v", right.StatusCode, right.body, cookies)
			}
			if strings.Contains(step, ticket) || !strings.HasPrefix(cookies[stepCookie], "; Path=/") || !strings.Contains(cookies[stepCookie], "Max-Age=0") {
				t.Errorf("cookies: %v", cookies)
			}
			if got := h.call("GET /api/x", sameOrign, "Cookie: "+shopCookie+"="+ticket); got.body != "Bearer "+rig.TokenMark+"1" {
				t.Errorf("call: %d %s", got.StatusCode, got.body)
			}
			asked := f.count("/mfa")
			h.want(h.post(code("123456"), step), 401, "session_expired")
			h.pending(false, step)
			if f.count("/mfa") != asked {
				t.Error("the API was asked about a step that was taken")
			}
		})
	}
}

// TestStepTries: five codes, and no more, whatever the throttle allows.
func TestStepTries(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h, f := openStepped(t, s)
			step := h.begin()
			for range 5 {
				h.pending(true, step)
				h.want(h.post(code("000000"), step), 401, "mfa_required")
			}
			h.pending(false, step)
			h.want(h.post(code("123456"), step), 401, "session_expired")
			if n := f.count("/mfa"); n != 5 {
				t.Errorf("the API checked %d codes", n)
			}
		})
	}
}

// TestStepTriesAtOnce: the same for codes that come together.
func TestStepTriesAtOnce(t *testing.T) {
	h, f := openStepped(t, settings{store: redisURL})
	step := h.begin()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { _ = h.post(code("000000"), step) })
	}
	all.Wait()
	if n := f.count("/mfa"); n > 5 {
		t.Errorf("the API checked %d codes", n)
	}
	h.want(h.post(code("123456"), step), 401, "session_expired")
}

// TestStepThrottled: codes count as sign-ins do, across pending sign-ins.
func TestStepThrottled(t *testing.T) {
	h, f := openStepped(t, settings{edit: func(yaml string) string { return replaced(yaml, "account: 12", "account: 4") }})
	step := h.begin()
	h.want(h.post(code("000000"), step), 401, "mfa_required")
	step = h.begin()
	h.want(h.post(code("000000"), step), 401, "mfa_required")
	got := h.post(code("123456"), step)
	h.want(got, 429, "too_many_attempts")
	if got.Header.Get("Retry-After") == "" || f.count("/mfa") != 2 {
		t.Errorf("Retry-After %q, %d codes checked", got.Header.Get("Retry-After"), f.count("/mfa"))
	}
}

// TestStepEndings: who ends a pending sign-in, and who leaves it alone.
func TestStepEndings(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		code       string
		stays      bool
	}{
		{"API ends it", code("over"), 401, "invalid_credentials", false},
		{"API broken", code("broken"), 502, "upstream_invalid", true},
		{"another step", `{"step":"mail","code":"1"}`, 400, "bad_request", true},
		{"no field", `{"step":"otp"}`, 400, "bad_request", true},
		{"unknown field", `{"step":"otp","otp":"1","x":"2"}`, 400, "bad_request", true},
		{"optional field", `{"step":"otp","otp":"1","remember":"yes"}`, 401, "mfa_required", true},
		{"step twice", `{"step":"otp","step":"otp","otp":"1"}`, 400, "bad_request", true},
		{"password again, wrong", loginBody("ada@x.test", "no"), 401, "invalid_credentials", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, _ := openStepped(t, settings{})
			step := h.begin()
			h.want(h.post(row.body, step), row.status, row.code)
			h.pending(row.stays, step)
		})
	}
}

// TestStepTicketOpensNothing: the ticket of a pending step is no session's, at no
// frontend, and a session's is no step's.
func TestStepTicketOpensNothing(t *testing.T) {
	h, f := openStepped(t, settings{store: redisURL})
	step := h.begin()
	ticket := strings.TrimPrefix(step, "Cookie: "+stepCookie+"=")
	as := func(name string) string { return "Cookie: " + name + "=" + ticket }
	h.want(h.call("GET /api/x", sameOrign, step), 401, "not_authenticated")
	h.want(h.call("GET /api/x", sameOrign, as(shopCookie)), 401, "session_expired")
	h.want(h.call("POST /bff/session", shop, xcsrf, as(shopCookie)), 401, "session_expired")
	h.want(h.call("GET /bff/sessions", sameOrign, as(shopCookie)), 401, "session_expired")
	other := "Host: desk.example.com"
	h.want(h.call("GET /api/x", other, sameOrign, as("__Host-Http-desk")), 401, "session_expired")
	h.want(h.call("POST /bff/login\n\n"+code("123456"), other, desk, xcsrf, json_, as("__Host-Http-desk-step")), 401, "session_expired")
	h.want(h.post(code("123456")), 401, "not_authenticated")
	h.want(h.post(code("123456"), step+"; "+stepCookie+"=x"), 401, "not_authenticated")
	if n := f.count("/mfa"); n != 0 {
		t.Errorf("the API checked %d codes", n)
	}
	in := h.post(loginBody("bob@x.test", "plain"))
	live, _, _ := strings.Cut(set(in)[shopCookie], ";")
	h.want(h.post(code("123456"), "Cookie: "+stepCookie+"="+live), 401, "session_expired")
	h.pending(true, step)
	for _, text := range []string{dumpRedis(t), h.logs.String()} {
		for _, mark := range []string{"mfa-MARKED", rig.PasswordMark, ticket, "ada@x.test"} {
			if strings.Contains(text, mark) {
				t.Errorf("%.9s… stands in store or log", mark)
			}
		}
	}
}

// TestLiveSessionDuringStep: a live session is another matter until the step is
// taken; then the new one replaces it.
func TestLiveSessionDuringStep(t *testing.T) {
	h, f := openStepped(t, settings{store: redisURL})
	in := h.post(loginBody("bob@x.test", "plain"))
	live, _, _ := strings.Cut(set(in)[shopCookie], ";")
	cookie := "Cookie: " + shopCookie + "=" + live
	both := cookie + "; " + strings.TrimPrefix(h.begin(cookie), "Cookie: ")
	h.want(h.call("GET /api/x", sameOrign, both), 200, "")
	h.want(h.post(code("000000"), both), 401, "mfa_required")
	h.want(h.call("GET /api/x", sameOrign, both), 200, "")
	if got := h.post(code("123456"), both); got.StatusCode != 200 {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	h.want(h.call("GET /api/x", sameOrign, cookie), 401, "session_expired")
	if ended := f.signedOut(t); ended != "Bearer "+rig.TokenMark+"1" {
		t.Errorf("signed out: %q", ended)
	}
}

// TestStepTakenTwiceAtOnce: one gets in, and the token of the other is given back.
func TestStepTakenTwiceAtOnce(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h, f := openStepped(t, s)
			step := h.begin()
			meeting := f.wait()
			answers := make(chan answer, 2)
			for range 2 {
				go func() { answers <- h.post(code("123456"), step) }() // ends with its answer
			}
			for range 2 {
				select {
				case <-meeting.came:
				case <-time.After(time.Minute):
					t.Fatalf("one of the two never came to the API\n%s", h.logs)
				}
			}
			close(meeting.release)
			statuses := map[int]int{}
			for range 2 {
				got := <-answers
				statuses[got.StatusCode]++
				if got.StatusCode != 200 {
					h.want(got, 401, "session_expired")
				}
			}
			if statuses[200] != 1 || statuses[401] != 1 {
				t.Errorf("statuses %v", statuses)
			}
			f.signedOut(t)
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.tokens != 2 {
				t.Errorf("%d tokens given", f.tokens)
			}
		})
	}
}

// TestStepAfterStep: what an earlier step kept goes along, under a new ticket each time.
func TestStepAfterStep(t *testing.T) {
	h, f := openStepped(t, settings{})
	first := h.begin()
	got := h.post(code("mail"), first)
	second, _, _ := strings.Cut(set(got)[stepCookie], ";")
	if got.body != `{"authenticated":false,"step":"mail","fields":["code"]}` || second == "" || strings.Contains(first, second) {
		t.Fatalf("%s %v", got.body, set(got))
	}
	h.pending(false, first)
	got = h.post(`{"step":"mail","code":"9"}`, "Cookie: "+stepCookie+"="+second)
	if got.StatusCode != 200 || f.asked[len(f.asked)-1] != `/mail {"c":"9","m":"m1","t":"mfa-MARKED"}` {
		t.Errorf("%d %s; API asked %q", got.StatusCode, got.body, f.asked)
	}
}

// TestStepLeft: a person who signs in without a step, signs out or begins anew leaves
// no pending one behind.
func TestStepLeft(t *testing.T) {
	expired := func(t *testing.T, a answer) {
		t.Helper()
		if !strings.Contains(set(a)[stepCookie], "Max-Age=0") {
			t.Errorf("the step's cookie stays: %v", set(a))
		}
	}
	h, _ := openStepped(t, settings{})
	step := h.begin()
	expired(t, h.post(loginBody("bob@x.test", "plain"), step))
	h.pending(false, step)
	step = h.begin()
	out := h.call("POST /bff/logout", shop, xcsrf, step)
	h.want(out, 204, "")
	expired(t, out)
	h.pending(false, step)
	step = h.begin()
	next := h.begin(step)
	h.pending(false, step)
	h.pending(true, next)
}
