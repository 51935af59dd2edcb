package demo_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"coatcheck/upstream/demo"
)

func (a running) renew(refresh string) reply {
	return a.post("/auth/refresh", "", map[string]string{"refresh_token": refresh})
}

func TestRefreshRotates(t *testing.T) {
	api := start(t, demo.Options{})
	in := api.signIn("ada@shop.example")
	next := api.renew(in.text("refresh_token"))
	if next.status != http.StatusOK {
		t.Fatalf("%d %s", next.status, next.body)
	}
	if next.text("refresh_token") == in.text("refresh_token") || next.text("access_token") == in.text("access_token") {
		t.Error("the tokens are the old ones")
	}
	if next.value("user") != nil {
		t.Error("a refresh answer shows a user")
	}
	// A call that was on its way during the refresh is still answered.
	for name, token := range map[string]string{"new": next.text("access_token"), "the one before": in.text("access_token")} {
		if got := api.get("/api/me", token); got.status != http.StatusOK {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	api.renew(next.text("refresh_token"))
	if got := api.get("/api/me", in.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("two refreshes later: %d", got.status)
	}
}

func TestReusedRefreshTokenEndsItsFamily(t *testing.T) {
	api := start(t, demo.Options{})
	in, other := api.signIn("ada@shop.example"), api.signIn("ada@shop.example")
	next := api.renew(in.text("refresh_token"))
	if got := api.renew(in.text("refresh_token")); got.status != http.StatusUnauthorized || got.text("error") != "invalid_grant" {
		t.Fatalf("reused: %d %s", got.status, got.body)
	}
	if got := api.renew(next.text("refresh_token")); got.status != http.StatusUnauthorized {
		t.Errorf("the newest refresh token of a revoked family: %d", got.status)
	}
	if got := api.get("/api/me", next.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("the newest access token of a revoked family: %d", got.status)
	}
	if got := api.get("/api/me", other.text("access_token")); got.status != http.StatusOK {
		t.Errorf("the person's other sign-in: %d", got.status)
	}
}

func TestOneRefreshTokenBuysOnce(t *testing.T) {
	api := start(t, demo.Options{})
	token := api.signIn("ada@shop.example").text("refresh_token")
	statuses := make([]int, 16)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() { statuses[i] = api.renew(token).status })
	}
	wg.Wait()
	good := 0
	for _, s := range statuses {
		if s == http.StatusOK {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d of 16 calls with one refresh token succeeded: %v", good, statuses)
	}
}

func TestSignOut(t *testing.T) {
	tests := []struct {
		name string
		out  func(running, reply) reply
	}{
		{"by refresh token", func(a running, in reply) reply {
			return a.post("/auth/logout", "", map[string]string{"refresh_token": in.text("refresh_token")})
		}},
		{"by access token", func(a running, in reply) reply {
			return a.send("POST", "/auth/logout", in.text("access_token"), "", "")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			api := start(t, demo.Options{})
			in := api.signIn("ada@shop.example")
			for range 2 {
				if got := tt.out(api, in); got.status != http.StatusNoContent {
					t.Fatalf("%d %s", got.status, got.body)
				}
			}
			if got := api.get("/api/me", in.text("access_token")); got.status != http.StatusUnauthorized {
				t.Errorf("access token after sign-out: %d", got.status)
			}
			if got := api.renew(in.text("refresh_token")); got.status != http.StatusUnauthorized {
				t.Errorf("refresh token after sign-out: %d", got.status)
			}
		})
	}
}

func TestExpire(t *testing.T) {
	clock := newClock()
	api := start(t, demo.Options{Now: clock.now})
	in := api.signIn("ada@shop.example")
	expire := func(token string) reply { return api.send("POST", "/api/expire", token, "", "") }
	if got := expire(in.text("access_token")); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := api.get("/api/me", in.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("an expired token: %d", got.status)
	}
	next := api.renew(in.text("refresh_token"))
	if got := api.get("/api/me", next.text("access_token")); got.status != http.StatusOK {
		t.Errorf("after a refresh: %d %s", got.status, got.body)
	}
	clock.move(69 * time.Second)
	if got := expire(next.text("access_token")); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" {
		t.Errorf("a second time, too soon: %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	if got := api.get("/api/me", next.text("access_token")); got.status != http.StatusOK {
		t.Errorf("after the second time: %d", got.status)
	}
	clock.move(time.Second)
	if got := expire(next.text("access_token")); got.status != http.StatusNoContent {
		t.Errorf("a second time: %d", got.status)
	}
}
