package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// tokens is an API whose tokens live as told and can be refused.
type tokens struct {
	mu                 sync.Mutex
	expiresIn          int
	refreshStatus      int
	refreshes, n       int
	refused            map[string]bool
	bodies             []string
	alwaysUnauthorized bool
}

func (k *tokens) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/auth/login":
		k.n++
		fmt.Fprintf(w, `{"access_token":"t%d","refresh_token":"r","expires_in":%d,"user":{"id":"u"}}`, k.n, k.expiresIn)
	case "/auth/refresh":
		k.refreshes++
		if k.refreshStatus != 200 {
			w.WriteHeader(k.refreshStatus)
			return
		}
		k.n++
		fmt.Fprintf(w, `{"access_token":"t%d","expires_in":3600}`, k.n)
	case "/auth/logout":
	default:
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		k.bodies = append(k.bodies, token+" "+string(body))
		if k.refused[token] || k.alwaysUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(401)
		}
		_, _ = io.WriteString(w, token)
	}
}

func (k *tokens) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.refreshes
}

func newTokens(h *house, expiresIn int) *tokens {
	k := &tokens{expiresIn: expiresIn, refreshStatus: 200, refused: map[string]bool{}}
	h.api.Say(k.serve)
	return k
}

// TestRefreshInTime: a token that is about to end is renewed before the call, once,
// however many calls come at that moment.
func TestRefreshInTime(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			k := newTokens(h, 1)
			cookie := h.signIn("ada@x.test")
			var calls sync.WaitGroup
			for range 40 {
				calls.Go(func() {
					if got := h.call("GET /api/x", cookie, sameOrign); got.StatusCode != 200 || got.body != "t2" {
						t.Errorf("call: %d %s", got.StatusCode, got.body)
					}
				})
			}
			calls.Wait()
			if k.count() != 1 {
				t.Errorf("%d refreshes", k.count())
			}
		})
	}
}

// TestRefreshFails: unreachable or at fault, the API signs nobody out; refusing the
// refresh token, it does.
func TestRefreshFails(t *testing.T) {
	for _, row := range []struct {
		name              string
		expiresIn, answer int
		status            int
		code, reason      string
	}{
		{"API at fault, token lasts", 29, 500, 200, "", ""},
		{"API throttled, token lasts", 29, 429, 200, "", ""},
		{"client refused, token lasts", 29, 400, 200, "", ""},
		{"refresh token dead", 29, 401, 401, "session_expired", "upstream"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := open(t, settings{store: redisURL})
			k := newTokens(h, row.expiresIn)
			k.refreshStatus = row.answer
			cookie := h.signIn("ada@x.test")
			got := h.call("GET /api/x", cookie, sameOrign)
			h.want(got, row.status, row.code)
			if row.reason != "" && !strings.Contains(got.body, `"reason":"`+row.reason+`"`) {
				t.Errorf("body: %s", got.body)
			}
			if row.reason != "" {
				h.want(h.call("GET /api/x", cookie, sameOrign), 401, "session_expired")
			}
		})
	}
}

// TestUpstream401: a 401 is taken as word that the token is stale: one renewal, one
// repetition with the body. Where that helped, the next 401 renews again; where the new
// token is refused too, that 401 passes unmarked, the session stays, and nothing is
// renewed for a minute.
func TestUpstream401(t *testing.T) {
	h := open(t, settings{store: redisURL})
	k := newTokens(h, 3600)
	cookie := h.signIn("ada@x.test")
	k.refused["t1"] = true
	got := h.call("POST /api/x\n\nbody", cookie, shop, xcsrf)
	if got.StatusCode != 200 || got.body != "t2" {
		t.Errorf("repeated call: %d %s", got.StatusCode, got.body)
	}
	k.mu.Lock()
	if fmt.Sprint(k.bodies) != "[t1 body t2 body]" {
		t.Errorf("API saw %q", k.bodies)
	}
	k.mu.Unlock()
	k.refused["t2"] = true
	if got = h.call("GET /api/x", cookie, sameOrign); got.StatusCode != 200 || got.body != "t3" {
		t.Errorf("after a renewal that helped: %d %s", got.StatusCode, got.body)
	}
	k.refused["t3"], k.refused["t4"] = true, true
	for range 3 {
		got = h.call("GET /api/x", cookie, sameOrign)
		if got.StatusCode != 401 || got.code() != "" || got.body != "t4" || got.Header.Get("WWW-Authenticate") != "" || k.count() != 3 {
			t.Errorf("the new token is refused: %d %q %q, %d refreshes", got.StatusCode, got.code(), got.body, k.count())
		}
	}
	if !strings.Contains(h.logs.String(), `"event":"refresh","outcome":"renewed"`) || !strings.Contains(h.logs.String(), `"cause":"401"`) {
		t.Errorf("log:\n%s", h.logs)
	}
	if got := h.call("GET /bff/session", cookie, sameOrign); !strings.Contains(got.body, `"authenticated":true`) {
		t.Errorf("session: %s", got.body)
	}
	k.refused = map[string]bool{}
	h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
}
