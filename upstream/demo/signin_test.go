package demo_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream/demo"
)

func TestSignIn(t *testing.T) {
	api := start(t, demo.Options{})
	got := api.signIn("ada@shop.example")
	if got.text("token_type") != "Bearer" || got.value("expires_in") != 300.0 {
		t.Errorf("token_type %v, expires_in %v", got.value("token_type"), got.value("expires_in"))
	}
	user, _ := got.value("user").(map[string]any)
	want := map[string]any{"id": "p-1001", "email": "ada@shop.example", "name": "Ada Lovelace", "role": "customer"}
	for name, value := range want {
		if user[name] != value {
			t.Errorf("user.%s = %v, want %v", name, user[name], value)
		}
	}
	if len(user) != len(want) {
		t.Errorf("user has more than it should: %v", user)
	}
	if me := api.get("/api/me", got.text("access_token")); me.text("name") != "Ada Lovelace" {
		t.Errorf("/api/me: %d %s", me.status, me.body)
	}
}

func TestRefusedSignIn(t *testing.T) {
	api := start(t, demo.Options{})
	tests := []struct {
		name, contentType, body string
		status                  int
		code                    string
	}{
		{"wrong password", "application/json", `{"email":"ada@shop.example","password":"x"}`, 401, "invalid_credentials"},
		{"somebody else's password", "application/json", `{"email":"ada@shop.example","password":"ship-in-harbour"}`, 401, "invalid_credentials"},
		{"unknown address", "application/json", `{"email":"x@shop.example","password":"engine-number-one"}`, 401, "invalid_credentials"},
		{"nothing", "application/json", `{}`, 401, "invalid_credentials"},
		{"locked", "application/json", `{"email":"locked@shop.example","password":"lost-my-key"}`, 403, "account_locked"},
		{"locked, wrong password", "application/json", `{"email":"locked@shop.example","password":"x"}`, 401, "invalid_credentials"},
		{"no JSON", "application/json", `email=ada`, 400, "invalid_json"},
		{"a form", "application/x-www-form-urlencoded", `{"email":"ada@shop.example","password":"engine-number-one"}`, 415, "json_wanted"},
		{"too long", "application/json", `{"email":"` + strings.Repeat("x", 9000) + `"}`, 413, "body_too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := api.send("POST", "/auth/login", "", tt.contentType, tt.body)
			if got.status != tt.status || got.text("error") != tt.code {
				t.Errorf("%d %s, want %d %s", got.status, got.body, tt.status, tt.code)
			}
		})
	}
}

func TestNoTokenNoAnswer(t *testing.T) {
	api := start(t, demo.Options{})
	signedIn := api.signIn("ada@shop.example")
	good := signedIn.text("access_token")
	tests := []struct{ name, authorization string }{
		{"none", ""},
		{"empty", "Bearer "},
		{"another scheme", "Basic " + good},
		{"changed", "Bearer " + good + "x"},
		{"the refresh token", "Bearer " + signedIn.text("refresh_token")},
		{"its id alone", "Bearer " + strings.Split(good, ".")[1]},
	}
	paths := []string{"GET /api/me", "GET /api/notes", "POST /api/notes", "PUT /api/echo", "GET /api/slow", "GET /api/error/500",
		"GET /api/events", "POST /api/upload", "GET /api/document", "POST /api/expire", "DELETE /api/notes/n-1"}
	for _, tt := range tests {
		for _, p := range paths {
			method, path, _ := strings.Cut(p, " ")
			got := api.send(method, path, "", "", "", "Authorization", tt.authorization)
			if got.status != http.StatusUnauthorized || got.text("error") != "invalid_token" || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s: %d %s", p, tt.name, got.status, got.body)
			}
		}
	}
	if got := api.get("/api/me", good); got.status != http.StatusOK {
		t.Errorf("the good token died of the others: %d", got.status)
	}
}

func TestTokenLifetime(t *testing.T) {
	clock := newClock()
	api := start(t, demo.Options{TokenLifetime: time.Minute, Now: clock.now})
	in := api.signIn("ada@shop.example")
	if in.value("expires_in") != 60.0 {
		t.Errorf("expires_in %v", in.value("expires_in"))
	}
	clock.move(59 * time.Second)
	if got := api.get("/api/me", in.text("access_token")); got.status != http.StatusOK {
		t.Errorf("a second before its end: %d", got.status)
	}
	clock.move(time.Second)
	if got := api.get("/api/me", in.text("access_token")); got.status != http.StatusUnauthorized {
		t.Errorf("at its end: %d", got.status)
	}
	if got := api.post("/auth/refresh", "", map[string]string{"refresh_token": in.text("refresh_token")}); got.status != http.StatusOK {
		t.Errorf("refresh: %d %s", got.status, got.body)
	}
	clock.move(24 * time.Hour)
	if got := api.post("/auth/refresh", "", map[string]string{"refresh_token": in.text("refresh_token")}); got.status != http.StatusUnauthorized {
		t.Errorf("refresh a day later: %d", got.status)
	}
}

func TestManySignInsStayBounded(t *testing.T) {
	api := start(t, demo.Options{})
	first := api.signIn("ada@shop.example")
	oldest := first.text("access_token")
	for range 1000 {
		api.signIn("hedy@admin.example")
	}
	if got := api.get("/api/me", oldest); got.status != http.StatusUnauthorized {
		t.Errorf("the oldest of 1001 sign-ins still lives: %d", got.status)
	}
	last := api.signIn("radia@admin.example")
	if got := api.get("/api/me", last.text("access_token")); got.status != http.StatusOK {
		t.Errorf("the newest: %d", got.status)
	}
}
