package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/credential"
	"coatcheck/bff/rig"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
)

// TestSharedThrottle: guesses at one frontend count at its siblings that share its
// counts, and nowhere else.
func TestSharedThrottle(t *testing.T) {
	for name, s := range stores() {
		s.edit = func(text string) string {
			three := "\n    throttle: {account: 3, address: 50, window: 1m}"
			for _, frontend := range []string{"shop", "desk"} {
				text = replaced(text, "\n  "+frontend+":\n", "\n  "+frontend+":"+three+"\n    shared_throttle: people\n")
			}
			return text
		}
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			try := func(password string, headers ...string) answer {
				return h.call("POST /bff/login\n\n"+loginBody("ada@x.test", password), append(headers, xcsrf, json_)...)
			}
			h.want(try("wrong", shop), 401, "invalid_credentials")
			h.want(try("wrong", desk, apiHost, sameSite), 401, "invalid_credentials")
			h.want(try("wrong", shop), 401, "invalid_credentials")
			h.want(try(rig.PasswordMark, desk, apiHost, sameSite), 429, "too_many_attempts")
			h.want(try(rig.PasswordMark, shop), 429, "too_many_attempts")
			h.want(try(rig.PasswordMark, till, apiHost, sameSite), 200, "")
		})
	}
}

// TestSharedThrottleSuccess: who signs in at one frontend has a clean count at all
// that share it.
func TestSharedThrottleSuccess(t *testing.T) {
	h := open(t, settings{edit: func(text string) string {
		text = replaced(text, "\n  desk:\n", "\n  desk:\n    throttle: {account: 3, address: 50, window: 1m}\n    shared_throttle: people\n")
		return replaced(text, "\n  till:\n", "\n  till:\n    shared_throttle: people\n")
	}})
	try := func(password, page string) answer {
		return h.call("POST /bff/login\n\n"+loginBody("ada@x.test", password), page, apiHost, sameSite, xcsrf, json_)
	}
	for _, page := range []string{desk, till} {
		h.want(try("wrong", page), 401, "invalid_credentials")
	}
	h.want(try(rig.PasswordMark, till), 200, "")
	for range 3 {
		h.want(try("wrong", desk), 401, "invalid_credentials")
	}
	h.want(try("wrong", till), 429, "too_many_attempts")
}

// TestLogoutWithoutTheKey: a replica that lacks the key of a session must not say that
// it ended it.
func TestLogoutWithoutTheKey(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			cookie := h.signIn("ada@x.test")
			ours, others := h.keys(), []credential.Secret{credential.NewSecret(strings.Repeat("another key ", 4))}
			if err := h.manager.Reconfigure(session.Options{Keys: others}); err != nil {
				t.Fatal(err)
			}
			got := h.call("POST /bff/logout", cookie, shop, xcsrf)
			h.want(got, 503, "store_unavailable")
			if got.Header.Get("Set-Cookie") != "" || got.Header.Get("Retry-After") == "" {
				t.Errorf("headers: %v", got.Header)
			}
			if err := h.manager.Reconfigure(session.Options{Keys: ours}); err != nil {
				t.Fatal(err)
			}
			h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
			h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "")
			h.want(h.call("GET /api/x", cookie, sameOrign), 401, "session_expired")
		})
	}
}

// TestListThatLostItsEntry: the list shows a session that its index has lost, and can
// end it.
func TestListThatLostItsEntry(t *testing.T) {
	h := open(t, settings{store: redisURL})
	cookie := h.signIn("ada@x.test")
	lose(t, fmt.Sprintf("t%d:p:*", prefixes.n))
	got := h.call("GET /bff/sessions", cookie, sameOrign)
	h.want(got, 200, "")
	var list []struct {
		ID      string
		Current bool
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list) != 1 || !list[0].Current {
		t.Fatalf("list: %s", got.body)
	}
	lose(t, fmt.Sprintf("t%d:p:*", prefixes.n))
	got = h.call("DELETE /bff/sessions/"+list[0].ID, cookie, shop, xcsrf)
	h.want(got, 204, "")
	if !strings.HasPrefix(got.Header.Get("Set-Cookie"), "__Host-Http-shop=;") {
		t.Errorf("cookie: %q", got.Header.Get("Set-Cookie"))
	}
	h.want(h.call("GET /api/x", cookie, sameOrign), http.StatusUnauthorized, "session_expired")
}

// lose deletes the keys of the store that look so.
func lose(t *testing.T, pattern string) {
	t.Helper()
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	ctx := context.Background()
	names := c.Keys(ctx, pattern).Val()
	if len(names) == 0 {
		t.Fatalf("no key is like %s", pattern)
	}
	if err := c.Del(ctx, names...).Err(); err != nil {
		t.Fatal(err)
	}
}

// TestTokenThatHasEnded: what is wrong with the API's token is no fault of ours.
func TestTokenThatHasEnded(t *testing.T) {
	if p := server.ProblemOf(fmt.Errorf("start: %w", session.ErrTokenEnded)); p.Status != 502 || p.Code != "upstream_invalid" {
		t.Errorf("%d %s", p.Status, p.Code)
	}
}
