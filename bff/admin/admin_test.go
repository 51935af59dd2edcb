package admin_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/admin"
	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

func listener(t *testing.T, store, token string, draining bool) (*httptest.Server, *session.Manager) {
	t.Helper()
	s, err := session.OpenStore(credential.NewSecret(store), session.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.NewManager(s, session.Options{Keys: []credential.Secret{credential.NewSecret(strings.Repeat("k", 32))},
		IdleTimeout: time.Minute, MaxLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(admin.Handler(admin.Options{Manager: m, Log: slog.New(slog.DiscardHandler),
		Token: func() credential.Secret { return credential.NewSecret(token) }, Draining: func() bool { return draining }, Providers: func() []string { return []string{"id", "hub"} }}))
	t.Cleanup(func() { web.Close(); _ = m.Close() })
	return web, m
}

func ask(t *testing.T, method, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, strings.TrimSpace(string(b))
}

func TestHealth(t *testing.T) {
	for _, row := range []struct {
		name, store, path string
		draining          bool
		status            int
		body              string
	}{
		{"lives", "memory://", "/livez", false, 200, `"ok"`},
		{"lives while draining", "memory://", "/livez", true, 200, `"ok"`},
		{"ready", "memory://", "/readyz", false, 200, `"store":"ok"`},
		{"draining", "memory://", "/readyz", true, 503, `"drain":"draining"`},
		{"store away", "redis://127.0.0.1:1/0", "/readyz", false, 503, `"store":"unreachable"`},
		{"store away, and left out", "redis://127.0.0.1:1/0", "/readyz?exclude=store", false, 200, `"drain":"ok"`},
	} {
		web, _ := listener(t, row.store, "", row.draining)
		if status, body := ask(t, "GET", web.URL+row.path, ""); status != row.status || !strings.Contains(body, row.body) {
			t.Errorf("%s: %d %s", row.name, status, body)
		}
	}
}

// TestSessions: nothing without the token, nothing without both parameters.
func TestSessions(t *testing.T) {
	const good = "Bearer s3cret"
	web, m := listener(t, "memory://", "s3cret", false)
	for range 2 {
		_, _, err := m.Start(context.Background(), session.Start{Frontend: "shop", Subject: "ada", User: []byte(`{}`), UserAgent: "UA",
			Credential: credential.New(map[string]credential.Secret{credential.AccessToken: credential.NewSecret("MARKED")}, time.Time{}, time.Time{})})
		if err != nil {
			t.Fatal(err)
		}
	}
	url := web.URL + "/admin/sessions"
	both := url + "?frontend=shop&subject=ada"
	for _, row := range []struct {
		method, url, token string
		status             int
	}{
		{"GET", both, "", 401}, {"GET", both, "Bearer wrong", 401}, {"GET", both, "s3cret", 401}, {"GET", both, "Basic s3cret", 401},
		{"DELETE", url, good, 400}, {"DELETE", url + "?frontend=shop", good, 400}, {"DELETE", url + "?subject=ada", good, 400},
		{"DELETE", url + "?frontend=shop&subject=", good, 400}, {"DELETE", both + "&subject=eve", good, 400}, {"POST", both, good, 405},
	} {
		if status, body := ask(t, row.method, row.url, row.token); status != row.status {
			t.Errorf("%s %s %q: %d %s", row.method, row.url, row.token, status, body)
		}
	}
	if status, body := ask(t, "GET", both, good); status != 200 || strings.Count(body, `"id":`) != 2 || strings.Contains(body, "MARKED") || !strings.Contains(body, `"user_agent":"UA"`) {
		t.Errorf("list: %d %s", status, body)
	}
	if status, body := ask(t, "GET", url+"?frontend=desk&subject=ada", good); status != 200 || body != "[]" {
		t.Errorf("another frontend: %d %s", status, body)
	}
	if status, body := ask(t, "DELETE", both, good); status != 200 || body != `{"ended":2}` {
		t.Errorf("end: %d %s", status, body)
	}
	for _, provider := range []string{"id", "hub", "id"} {
		_, _, err := m.Start(context.Background(), session.Start{Frontend: "shop", Provider: provider, Subject: "ada", User: []byte(`{}`),
			Credential: credential.New(nil, time.Time{}, time.Time{})})
		if err != nil {
			t.Fatal(err)
		}
	}
	if status, body := ask(t, "GET", both, good); status != 200 || strings.Count(body, `"provider":"id"`) != 2 || strings.Count(body, `"provider":"hub"`) != 1 {
		t.Errorf("a provider's person: %d %s", status, body)
	}
	if status, body := ask(t, "DELETE", both, good); status != 200 || body != `{"ended":3}` {
		t.Errorf("end a provider's person: %d %s", status, body)
	}
	closed, _ := listener(t, "memory://", "", false)
	if status, _ := ask(t, "GET", closed.URL+"/admin/sessions?frontend=shop&subject=ada", "Bearer "); status != 404 {
		t.Errorf("without a token: %d", status)
	}
	away, _ := listener(t, "redis://127.0.0.1:1/0", "s3cret", false)
	if status, body := ask(t, "DELETE", away.URL+"/admin/sessions?frontend=shop&subject=ada", good); status != 503 {
		t.Errorf("store away: %d %s", status, body)
	}
}
