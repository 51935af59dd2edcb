package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"coatcheck/bff/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

const serveConfig = `
listen: 127.0.0.1:${PORT}
admin: {listen: "127.0.0.1:${ADMIN}", token: admin-token}
health_path: /healthz
drain: {delay: 0s, timeout: 5s}
sessions: {store: "${STORE}", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /token}
      user: {at: /user, subject: /id}
frontends:
  app:
    origins: ["http://localhost:${PORT}"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api}]
`

// TestServe runs the program as people do: real process, real Redis, another origin's
// API; sign-in, call, sign-out, and an orderly end.
func TestServe(t *testing.T) {
	store := "redis://" + rig.Redis(t) + "/0"
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			_, _ = io.WriteString(w, `{"token":"t0ken","user":{"id":"u1","private":"x"}}`)
			return
		}
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	defer api.Close()
	p := rig.Serve(t, serveConfig, "STORE="+store, "API="+api.URL)
	admin := p.Admin
	_, port, _ := net.SplitHostPort(p.Address)
	if got := rig.Status("http://127.0.0.1:" + port + "/healthz"); got != 204 {
		t.Errorf("health path: %d", got)
	}
	rig.Until(t, "health", func() bool { // it asks the store, for five seconds at most
		code, _, _ := runCommand(nil, "healthcheck", "-admin", admin)
		return code == exitDone
	})

	page := "http://localhost:" + port
	ask := func(method, path, body, cookie string) (*http.Response, string) {
		r, _ := http.NewRequest(method, page+path, strings.NewReader(body))
		r.Header.Set("X-CSRF", "1")
		r.Header.Set("Origin", page)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		a, err := sent(http.DefaultClient, r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, _ := io.ReadAll(a.Body)
		return a, string(b)
	}
	a, body := ask("POST", "/bff/login", `{"email":"a","password":"b"}`, "")
	if a.StatusCode != 200 || strings.Contains(body, "private") {
		t.Fatalf("sign-in: %d %s\n%s", a.StatusCode, body, &p.Log)
	}
	cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	if a, body := ask("GET", "/api/x", "", cookie); a.StatusCode != 200 || body != "Bearer t0ken" {
		t.Errorf("call: %d %s", a.StatusCode, body)
	}
	metricsSeen(t, admin)
	adminAPI(t, admin)
	if a, _ := ask("GET", "/api/x", "", cookie); a.StatusCode != 401 {
		t.Errorf("call after the operator ended the session: %d", a.StatusCode)
	}
	if a, _ := ask("POST", "/bff/logout", "", cookie); a.StatusCode != 204 {
		t.Errorf("sign-out: %d", a.StatusCode)
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	rig.Until(t, "the end", func() bool {
		select {
		case <-p.Exited:
			return true
		default:
			return false
		}
	})
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d: %s", code, &p.Log)
	}
	lines := strings.Split(strings.TrimSpace(p.Log.String()), "\n")
	calls := 0
	for _, line := range lines {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("line is no JSON: %s", line)
		}
		if l["msg"] == "call" {
			calls++
		}
	}
	if calls < 5 || strings.Contains(p.Log.String(), "t0ken") {
		t.Errorf("%d lines of calls in %s", calls, &p.Log)
	}
}

// metricsSeen: each call was counted under names of the configuration.
func metricsSeen(t *testing.T, admin string) {
	t.Helper()
	a, err := http.Get(admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	for _, want := range []string{
		`coatcheck_calls_total{class="2xx",frontend="app",method="GET",route="/api/"} 1`,
		`coatcheck_calls_total{class="2xx",frontend="app",method="POST",route="/bff/"} 1`,
		`coatcheck_call_upstream_seconds_count{frontend="app",route="/api/"} 1`,
		`coatcheck_events_total{event="sign_in",frontend="app",outcome="signed_in"} 1`,
		`coatcheck_build_info{commit=`, "coatcheck_near_cache_hits_total", "coatcheck_sessions_watched 0", "go_goroutines ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if strings.Contains(string(text), "t0ken") {
		t.Error("the token stands in the metrics")
	}
}

// adminAPI: nothing without the token, nothing without both parameters, and an end.
func adminAPI(t *testing.T, admin string) {
	t.Helper()
	ask := func(method, query, token string) (int, string) {
		r, _ := http.NewRequest(method, admin+"/admin/sessions"+query, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		a, err := sent(http.DefaultClient, r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, _ := io.ReadAll(a.Body)
		return a.StatusCode, string(b)
	}
	both := "?frontend=app&subject=u1"
	for _, row := range []struct {
		method, query, token string
		status               int
	}{{"GET", both, "", 401}, {"DELETE", both, "wrong", 401}, {"DELETE", "", "admin-token", 400}, {"DELETE", "?frontend=app", "admin-token", 400}, {"DELETE", "?subject=u1", "admin-token", 400}, {"GET", both, "admin-token", 200}} {
		if got, body := ask(row.method, row.query, row.token); got != row.status {
			t.Errorf("%s %s: %d %s", row.method, row.query, got, body)
		}
	}
	if got, body := ask("DELETE", both, "admin-token"); got != 200 || strings.TrimSpace(body) != `{"ended":1}` {
		t.Errorf("end: %d %s", got, body)
	}
}
