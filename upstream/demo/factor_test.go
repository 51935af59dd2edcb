package demo_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"coatcheck/upstream/demo"
)

// half is the first half of Grace's sign-in: her password is right.
func half(t *testing.T, api running) string {
	t.Helper()
	got := api.post("/auth/login", "", map[string]string{"email": "grace@shop.example", "password": "ship-in-harbour"})
	if got.status != http.StatusUnauthorized || got.text("error") != "mfa_required" || got.value("access_token") != nil {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return got.text("mfa_token")
}

func TestSecondFactor(t *testing.T) {
	clock := newClock()
	api := start(t, demo.Options{Now: clock.now})
	enter := func(token, code string) reply {
		return api.post("/auth/mfa", "", map[string]string{"mfa_token": token, "code": code})
	}
	expect := func(what string, got reply, status int, code string) {
		t.Helper()
		if got.status != status || got.text("error") != code {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	token := half(t, api)
	expect("a wrong code", enter(token, "000000"), 401, "invalid_code")
	expect("no code", enter(token, ""), 401, "invalid_code")
	expect("an unknown token", enter("x", demo.Code), 401, "invalid_grant")
	in := enter(token, demo.Code)
	expect("the code", in, 200, "")
	if me := api.get("/api/me", in.text("access_token")); me.text("name") != "Grace Hopper" {
		t.Errorf("%d %s", me.status, me.body)
	}
	expect("the same token again", enter(token, demo.Code), 401, "invalid_grant")

	token = half(t, api)
	clock.move(10 * time.Minute)
	expect("too late", enter(token, demo.Code), 401, "invalid_grant")

	token = half(t, api)
	for i := range 10 {
		expect("wrong code "+strconv.Itoa(i), enter(token, "no"), 401, "invalid_code")
	}
	expect("after ten wrong codes", enter(token, demo.Code), 401, "invalid_grant")
}

func TestManyWaitingStayBounded(t *testing.T) {
	clock := newClock()
	api := start(t, demo.Options{Now: clock.now})
	first := half(t, api)
	for range 100 {
		clock.move(time.Second)
		half(t, api)
	}
	if got := api.post("/auth/mfa", "", map[string]string{"mfa_token": first, "code": demo.Code}); got.text("error") != "invalid_grant" {
		t.Errorf("the oldest of 101 still waits: %d %s", got.status, got.body)
	}
}
