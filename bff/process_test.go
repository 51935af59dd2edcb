package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/freeport"
)

// built is the program as people run it, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "coatcheck")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "coatcheck")
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// process is a program of ours, ended with the test.
type process struct {
	*exec.Cmd
	stdout, stderr lockedBuffer
	exited         chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(name, args...), exited: make(chan struct{})}
	p.Env = append(os.Environ(), env...)
	p.Stdout, p.Stderr, p.WaitDelay = &p.stdout, &p.stderr, time.Second // a child of its own may outlive it
	if err := p.Start(); err != nil {
		t.Fatalf("%s is needed (make test installs it): %v", name, err)
	}
	go func() { defer close(p.exited); _ = p.Wait() }() // ends with the process
	t.Cleanup(func() { _ = p.Process.Kill(); <-p.exited })
	return p
}

// until waits for a condition, two minutes at most: only what never happens may fail,
// however busy the machine is.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

func status(url string) int {
	r, err := http.Get(url)
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

func redisServer(t *testing.T) (url string, p *process) {
	t.Helper()
	port := freeport.Text(t)
	p = start(t, nil, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	until(t, "Redis", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return "redis://127.0.0.1:" + port + "/0", p
}

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
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	store, _ := redisServer(t)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			_, _ = io.WriteString(w, `{"token":"t0ken","user":{"id":"u1","private":"x"}}`)
			return
		}
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	defer api.Close()
	port, adminPort := freeport.Text(t), freeport.Text(t)
	config := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(config, []byte(serveConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	_, text, _ := runCommand(nil, "keygen")
	p := start(t, []string{"PORT=" + port, "ADMIN=" + adminPort, "STORE=" + store, "API=" + api.URL, "KEY=" + strings.TrimSpace(text)}, file, "serve", "-config", config)
	admin := "http://127.0.0.1:" + adminPort
	until(t, "readiness", func() bool { return status(admin+"/readyz") == 200 })
	if got := status("http://127.0.0.1:" + port + "/healthz"); got != 204 {
		t.Errorf("health path: %d", got)
	}
	if code, _, _ := runCommand(nil, "healthcheck", "-admin", admin); code != exitDone {
		t.Errorf("healthcheck: exit %d", code)
	}

	page := "http://localhost:" + port
	ask := func(method, path, body, cookie string) (*http.Response, string) {
		r, _ := http.NewRequest(method, page+path, strings.NewReader(body))
		r.Header.Set("X-CSRF", "1")
		r.Header.Set("Origin", page)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, _ := io.ReadAll(a.Body)
		return a, string(b)
	}
	a, body := ask("POST", "/bff/login", `{"email":"a","password":"b"}`, "")
	if a.StatusCode != 200 || strings.Contains(body, "private") {
		t.Fatalf("sign-in: %d %s\n%s", a.StatusCode, body, &p.stderr)
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
	until(t, "the end", func() bool {
		select {
		case <-p.exited:
			return true
		default:
			return false
		}
	})
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d: %s", code, &p.stderr)
	}
	lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
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
	if calls < 5 || strings.Contains(p.stderr.String(), "t0ken") {
		t.Errorf("%d lines of calls in %s", calls, &p.stderr)
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
		a, err := http.DefaultClient.Do(r)
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
