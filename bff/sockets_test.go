package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coatcheck/bff/rig"
)

const socketConfig = `
listen: "unix:${DIR}/public.sock?mode=0666"
admin: {listen: "unix:${DIR}/admin.sock"}
trusted_proxies: [${TRUSTED}]
drain: {delay: 0s, timeout: 2s}
sessions: {store: "memory://", keys: ["${KEY}"]}
upstreams:
  api:
    url: "unix:${DIR}/api.sock"
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /token}}
frontends:
  app:
    origins: ["https://app.example.com"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api, session: none}]
`

// overSocket asks url of whoever listens at a Unix socket.
func overSocket(socket, url string, headers ...string) (status int, body string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	r, _ := http.NewRequest("GET", url, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	got, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer got.Body.Close()
	all, _ := io.ReadAll(got.Body)
	return got.StatusCode, string(all)
}

// socketProgram serves on Unix sockets in dir.
func socketProgram(t *testing.T, dir, trusted string) *rig.Program {
	t.Helper()
	binary, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "coatcheck.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer("${DIR}", dir, "${TRUSTED}", trusted, "${KEY}", rig.Key).Replace(socketConfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	return rig.Start(t, nil, binary, "serve", "-config", file)
}

// TestUnixSockets: both listeners and the API on Unix sockets; the mode is what the file
// says; a reverse proxy is believed only where 127.0.0.1 is trusted; a socket that a dead process
// left is taken over, one that lives is not.
func TestUnixSockets(t *testing.T) {
	dir, err := os.MkdirTemp("", "cc") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	public, operators := dir+"/public.sock", dir+"/admin.sock"
	l, err := net.Listen("unix", dir+"/api.sock")
	if err != nil {
		t.Fatal(err)
	}
	api := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a test's
		_, _ = io.WriteString(w, r.Host+" "+r.Header.Get("X-Forwarded-For"))
	})}
	go func() { _ = api.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = api.Close() })
	const call, forwarded = "http://app.example.com/api/x", "X-Forwarded-For: 203.0.113.7"
	first := socketProgram(t, dir, "")
	ready := func() bool { status, _ := overSocket(operators, "http://localhost/readyz"); return status == 200 }
	rig.Until(t, "readiness", ready)
	for socket, mode := range map[string]os.FileMode{public: 0o666, operators: 0o660} {
		if at, err := os.Stat(socket); err != nil || at.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want mode %v", socket, at.Mode(), err, mode)
		}
	}
	if status, body := overSocket(public, call, "Sec-Fetch-Site: same-origin", forwarded); status != 200 || body != "localhost 127.0.0.1" {
		t.Errorf("untrusted front: %d %s", status, body)
	}
	rig.Until(t, "health", func() bool { // it asks for five seconds at most
		code, _, _ := runCommand(nil, "healthcheck", "-admin", "unix:"+operators)
		return code == exitDone
	})
	second := socketProgram(t, dir, "")
	if <-second.Exited; !strings.Contains(second.Log.String(), "another process listens there") {
		t.Errorf("a second process: %s", second.Log.String())
	}
	_ = first.Process.Signal(syscall.SIGKILL)
	<-first.Exited
	if _, err := os.Stat(public); err != nil {
		t.Fatal("the killed process removed its socket: nothing is shown")
	}
	third := socketProgram(t, dir, "127.0.0.1")
	rig.Until(t, "readiness again", ready)
	if status, body := overSocket(public, call, "Sec-Fetch-Site: same-origin", forwarded); status != 200 || body != "localhost 203.0.113.7" {
		t.Errorf("trusted front: %d %s", status, body)
	}
	_ = third.Process.Signal(syscall.SIGTERM)
	<-third.Exited
	for _, socket := range []string{public, operators} {
		if _, err := os.Lstat(socket); err == nil {
			t.Errorf("%s is still there", socket)
		}
	}
	if err := os.WriteFile(public, []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	fourth := socketProgram(t, dir, "")
	if <-fourth.Exited; !strings.Contains(fourth.Log.String(), "is not a socket") {
		t.Errorf("a file in the way: %s", fourth.Log.String())
	}
}
