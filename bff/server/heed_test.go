package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// TestVerify: an API without refresh is asked before its 401 is believed, and a token
// that is dead ends the session.
func TestVerify(t *testing.T) {
	h := open(t, settings{store: redisURL, edit: func(s string) string {
		a, b := strings.Index(s, "    refresh:"), strings.Index(s, "    logout:")
		return s[:a] + "    verify: {after: [401], request: {path: /me}, rejected: [401]}\n" + s[b:]
	}})
	cookie := h.signIn("ada@x.test")
	alive, asked, begun := true, 0, time.Now()
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/me" {
			asked++
			if !alive {
				w.WriteHeader(401)
			}
			return
		}
		w.WriteHeader(401)
		_, _ = io.WriteString(w, "theirs")
	})
	got := h.call("GET /api/x", cookie, sameOrign)
	if got.StatusCode != 401 || got.code() != "" || got.body != "theirs" || asked != 1 {
		t.Errorf("alive: %d %q %q, asked %d times", got.StatusCode, got.code(), got.body, asked)
	}
	h.call("GET /api/x", cookie, sameOrign)
	if asked != 1 && time.Since(begun) < time.Second {
		t.Errorf("asked %d times within a second", asked)
	}
	alive = false
	rig.Until(t, "the API to be asked again", func() bool {
		got = h.call("GET /api/x", cookie, sameOrign)
		return got.code() != ""
	})
	h.want(got, 401, "session_expired")
	if !strings.Contains(got.body, `"reason":"upstream"`) {
		t.Errorf("body: %s", got.body)
	}
}

// TestVerifyOfAnOldValue: a late refusal of a value that another call has followed the
// API away from ends nothing.
func TestVerifyOfAnOldValue(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s.edit = func(s string) string {
				a, b := strings.Index(s, "    refresh:"), strings.Index(s, "    logout:")
				s = s[:a] + "    verify: {after: [401], request: {path: /me}, rejected: [401]}\n    send: {headers: {access-token: \"{access_token}\"}}\n" + s[b:]
				s = replaced(s, `body: {refresh_token: "{refresh_token}"}`, "body: {}")
				return replaced(s, "credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}",
					"credential: {access_token: {header: access-token, follow: true}}")
			}
			h := open(t, s)
			slow, answered := make(chan struct{}), make(chan struct{})
			h.api.Say(func(w http.ResponseWriter, r *http.Request) {
				old := r.Header.Get("access-token") == "t1"
				switch r.URL.Path {
				case "/auth/login":
					w.Header().Set("access-token", "t1")
					_, _ = io.WriteString(w, `{"user":{"id":"ada"}}`)
				case "/api/slow":
					slow <- struct{}{}
					<-answered
					w.WriteHeader(401)
				case "/me":
					if old {
						w.WriteHeader(401)
					}
				default:
					w.Header().Set("access-token", "t2")
				}
			})
			cookie := h.signIn("ada@x.test")
			late := make(chan answer, 1)
			go func() { late <- h.call("GET /api/slow", cookie, sameOrign) }() // ends with its answer
			<-slow
			h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
			close(answered)
			if got := <-late; got.StatusCode != 401 || got.code() != "" {
				t.Errorf("the late answer: %d %q", got.StatusCode, got.code())
			}
			h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
		})
	}
}

// TestFollow: a value that the API renews on its answers goes on with the next call,
// and never to the page.
func TestFollow(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s.edit = func(s string) string {
				a, b := strings.Index(s, "    refresh:"), strings.Index(s, "    logout:")
				s = s[:a] + `    send: {headers: {access-token: "{access_token}", client: "{client}"}}` + "\n" + s[b:]
				s = replaced(s, `body: {refresh_token: "{refresh_token}"}`, "body: {}")
				return replaced(s, "credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}",
					"credential: {access_token: {header: access-token, follow: true}, client: {header: client}}")
			}
			keepingAll(t, func() (h *house, fault string) {
				h = open(t, s)
				n := 0
				h.api.Say(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/auth/logout" {
						return
					}
					n++
					w.Header().Set("access-token", fmt.Sprintf("t%d", n))
					w.Header().Set("client", "c")
					fmt.Fprintf(w, `{"user":{"id":"ada"},"came":%q}`, r.Header.Get("access-token")+"/"+r.Header.Get("client"))
				})
				cookie := h.signIn("ada@x.test")
				for i := 1; i <= 3; i++ {
					got := h.call("GET /api/x", cookie, sameOrign, "access-token: mine")
					if !strings.Contains(got.body, fmt.Sprintf(`"came":"t%d/c"`, i)) || got.Header.Get("access-token")+got.Header.Get("client") != "" {
						fault = fmt.Sprintf("call %d: %s %v", i, got.body, got.Header)
					}
				}
				return h, fault
			})
		})
	}
}

// TestUnnamedPeople: whom the API does not name shares no list with anybody.
func TestUnnamedPeople(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		s = strings.ReplaceAll(strings.ReplaceAll(s, ", expose: [id, email]", ""), ", expose: [id]", "")
		return replaced(s, "user: {from: response, at: /user, subject: /id}", "")
	}})
	one, two := h.signIn("ada@x.test"), h.signIn("bob@x.test")
	if got := h.call("GET /bff/sessions", one, sameOrign); strings.Count(got.body, `"id"`) != 1 {
		t.Errorf("list: %s", got.body)
	}
	h.want(h.call("DELETE /bff/sessions", one, shop, xcsrf), 204, "")
	h.want(h.call("GET /api/x", two, sameOrign), 200, "")
}
