package server_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// signsInItself is the house with programs whose account signs in as a person does.
func signsInItself(s settings) (settings, []string) {
	keys := newKeys()
	s.edit = func(text string) string {
		return replaced(withPrograms(keys)(text), "{robot: {credential: {access_token: "+accountMark+"}}}",
			"{robot: {fields: {email: robot@example.com, password: "+rig.PasswordMark+"}}}")
	}
	return s, []string{door, bearer(keys["excel"])}
}

// tokenCalls makes the API refuse tokens, as the test says, and count what it is asked.
type tokenCalls struct {
	mu      sync.Mutex
	refuse  map[string]bool // by token
	login   int             // what sign-ins are answered; 0: a token
	given   int
	bodies  []string
	signIns int
}

func (c *tokenCalls) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/auth/login", "/auth/refresh":
		c.signIns++
		if c.login != 0 {
			w.WriteHeader(c.login)
			return
		}
		c.given++
		_, _ = io.WriteString(w, `{"access_token":"`+strings.Repeat("t", c.given)+`","refresh_token":"r","expires_in":3600,"user":{"id":"1"}}`)
	default:
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		body, _ := io.ReadAll(r.Body)
		c.bodies = append(c.bodies, token+" "+string(body))
		if c.refuse[token] {
			w.WriteHeader(401)
		}
	}
}

// change changes what the API does.
func (c *tokenCalls) change(f func(c *tokenCalls)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
}

func accountAPI(h *house) *tokenCalls {
	c := &tokenCalls{refuse: map[string]bool{}}
	h.api.Say(c.serve)
	return c
}

// TestAccountSignsIn: a program's call makes its account sign in, with nothing of the
// call in the question, and the next call needs no question.
func TestAccountSignsIn(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s, call := signsInItself(s)
			h := open(t, s)
			for range 2 {
				h.want(h.call("GET /v1/x", append(call, "User-Agent: the program's")...), 200, "")
			}
			all := h.api.Calls()
			if len(all) != 3 || all[0].URI != "/auth/login" {
				t.Fatalf("%+v", all)
			}
			if got := all[0].Header; got.Get("X-Forwarded-For") != "" || strings.Contains(got.Get("User-Agent"), "program") {
				t.Errorf("the sign-in speaks of the caller: %v", got)
			}
			if got := all[2].Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer "+rig.TokenMark) {
				t.Errorf("Authorization: %q", got)
			}
		})
	}
}

// TestAccountUnauthorized: the API's 401 renews the token, and the call is repeated once
// where its body is held; the caller sees nothing of it. An event is done then.
func TestAccountUnauthorized(t *testing.T) {
	s, call := signsInItself(settings{})
	h := open(t, s)
	api := accountAPI(h)
	api.change(func(c *tokenCalls) { c.refuse["t"] = true })
	event := signed("a", "{}", time.Now())
	h.want(h.call("POST /hooks/x\n\n{}", event...), 200, "")
	if again := h.call("POST /hooks/x\n\n{}", event...); again.Header.Get("Coatcheck-Duplicate") != "true" {
		t.Errorf("the event counts as not done: %v", again.Header)
	}
	api.change(func(c *tokenCalls) {
		if got := strings.Join(c.bodies, ","); got != "t {},tt {}" {
			t.Errorf("the API saw %q", got)
		}
		c.refuse["tt"] = true
		c.bodies = nil
	})
	h.want(h.call("GET /v1/x", call...), 401, "") // within a minute: the API's own answer
	api.change(func(c *tokenCalls) {
		if len(c.bodies) != 1 || c.signIns != 2 {
			t.Errorf("%d calls, %d sign-ins and renewals", len(c.bodies), c.signIns)
		}
	})
}

// TestAccountUnauthorizedStream: a body that was streamed cannot be sent again, but the
// next call has another token.
func TestAccountUnauthorizedStream(t *testing.T) {
	s, call := signsInItself(settings{})
	edit := s.edit
	s.edit = func(text string) string { return replaced(edit(text), "methods: [GET, HEAD]}", "}") }
	h := open(t, s)
	api := accountAPI(h)
	api.change(func(c *tokenCalls) { c.refuse["t"] = true })
	h.want(h.call("POST /v1/x\n\n"+strings.Repeat("x", 100<<10), call...), 401, "")
	h.want(h.call("GET /v1/x", call...), 200, "")
	api.change(func(c *tokenCalls) {
		if len(c.bodies) != 2 || c.bodies[1] != "tt " {
			t.Errorf("%d calls", len(c.bodies))
		}
	})
}

// TestAccountUnavailable: where the API does not let the account in, a call is refused
// with a time to come again, and an event is free for its next attempt.
func TestAccountUnavailable(t *testing.T) {
	s, call := signsInItself(settings{})
	h := open(t, s)
	api := accountAPI(h)
	api.change(func(c *tokenCalls) { c.login = 401 })
	begun := time.Now()
	event := signed("a", "{}", begun)
	for _, got := range []answer{h.call("GET /v1/x", call...), h.call("POST /hooks/x\n\n{}", event...), h.call("GET /v1/x", call...)} {
		h.want(got, 503, "account_unavailable")
		if got.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	api.change(func(c *tokenCalls) {
		paused := time.Since(begun) < 2*time.Second // which is how long the API is left alone then
		if c.signIns != 1 && paused || len(c.bodies) != 0 {
			t.Errorf("%d sign-ins, %d calls", c.signIns, len(c.bodies))
		}
		c.login = 0
	})
	rig.Until(t, "the account", func() bool { return h.call("GET /v1/x", call...).StatusCode == 200 })
	if got := h.call("POST /hooks/x\n\n{}", event...); got.StatusCode != 200 || got.Header.Get("Coatcheck-Duplicate") != "" {
		t.Errorf("the event's next attempt: %d %v", got.StatusCode, got.Header)
	}
	if logs := h.logs.String(); !strings.Contains(logs, `"event":"account","outcome":"refused","account":"api/robot"`) {
		t.Error("no event")
	}
}
