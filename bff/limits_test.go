package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

const lonelyConfig = `
listen: 127.0.0.1:${PORT}
admin: {listen: "127.0.0.1:${ADMIN}"}
drain: {delay: 0s, timeout: 2s}
health_path: /healthz
sessions: {store: "memory://", keys: ["${KEY}"]}
upstreams:
  api:
    url: http://127.0.0.1:1
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /token}}
frontends:
  app:
    origins: ["http://localhost:${PORT}"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api}]
`

// lonely is one process with a store of its own, whose log goes where the test says.
type lonely struct {
	*testing.T
	*exec.Cmd
	address string
	page    *http.Client
	exited  chan struct{}
}

// startLonely runs the program behind a shell command that may bound it.
func startLonely(t *testing.T, bounds string, stderr *os.File) *lonely {
	t.Helper()
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(config, []byte(lonelyConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	port, admin := freeport.Text(t), freeport.Text(t)
	_, key, _ := runCommand(nil, "keygen")
	l := &lonely{T: t, address: "127.0.0.1:" + port, page: &http.Client{Timeout: time.Minute}, exited: make(chan struct{})}
	l.Cmd = exec.Command("sh", "-c", bounds+`exec "$0" "$@"`, file, "serve", "-config", config)
	l.Env = append(os.Environ(), "PORT="+port, "ADMIN="+admin, "KEY="+strings.TrimSpace(key))
	l.Stderr = stderr
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(l.exited); _ = l.Wait() }() // ends with the process
	t.Cleanup(func() { _ = l.Process.Kill(); <-l.exited })
	rig.Until(t, "a process that serves", func() bool { return rig.Status("http://"+l.address+"/healthz") == 204 })
	return l
}

// call reports the status of one call, or 0.
func (l *lonely) call(path string) int {
	r, _ := http.NewRequest("GET", "http://"+l.address+path, nil)
	r.Host = "localhost"
	a, err := l.page.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, a.Body)
	_ = a.Body.Close()
	return a.StatusCode
}

// ends asks the process to end, and wants it to do so in order.
func (l *lonely) ends() {
	l.Helper()
	_ = l.Process.Signal(syscall.SIGTERM)
	select {
	case <-l.exited:
	case <-time.After(2 * time.Minute):
		l.Fatal("it does not end")
	}
	if code := l.ProcessState.ExitCode(); code != 0 {
		l.Errorf("exit %d", code)
	}
}

// The fear: a process that runs out of file descriptors is out for good.
func TestFileDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	logged, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := startLonely(t, "ulimit -n 48; ", stderr)
	_ = stderr.Close()
	var conns []net.Conn
	for range 60 { // the kernel takes what the process cannot
		c, err := net.Dial("tcp", l.address)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	lines := bufio.NewScanner(logged)
	found := false
	for !found && lines.Scan() {
		found = strings.Contains(lines.Text(), "connections cannot be taken in")
	}
	if !found {
		t.Fatal("nobody was told")
	}
	go func() { _, _ = io.Copy(io.Discard, logged) }() // ends with the process
	for _, c := range conns {
		_ = c.Close()
	}
	rig.Until(t, "descriptors to come back", func() bool { return l.call("/bff/session") == 200 })
	l.ends()
}

// The fear: whoever reads the log stops, and with it the service.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	logged, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := startLonely(t, "", stderr)
	_ = stderr.Close()
	long := "/bff/" + strings.Repeat("x", 1000)
	each(4500, 4, func(i int) { // lines of 1.2 KB: more than a pipe holds, and more than is kept
		if got := l.call(fmt.Sprintf("%s%d", long, i)); got != 404 {
			t.Errorf("call %d: %d", i, got)
		}
	})
	lines := bufio.NewScanner(logged)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"msg":"log lines were lost","lost":`) {
			go func() { _, _ = io.Copy(io.Discard, logged) }() // ends with the process
			l.ends()
			return
		}
	}
	t.Error("lines were lost and nobody was told")
}

// The fear: the log's reader leaves, and SIGPIPE takes the service along.
func TestLogReaderLeaves(t *testing.T) {
	t.Parallel()
	logged, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := startLonely(t, "", stderr)
	_, _ = stderr.Close(), logged.Close()
	l.servesAndEnds()
}

// The fear: a full disk under the log stops the service.
func TestLogDiskFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	startLonely(t, "", full).servesAndEnds()
}

// servesAndEnds calls often enough that the log is written several times.
func (l *lonely) servesAndEnds() {
	l.Helper()
	for range 500 {
		if got := l.call("/bff/session"); got != 200 {
			l.Fatalf("call: %d", got)
		}
	}
	l.ends()
}
