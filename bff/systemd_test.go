package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// alone is one process with sessions in memory in front of an API.
type alone struct {
	*rig.Program
	public, admin, file string
}

func startAlone(t *testing.T, api string, change func(config string) string, env ...string) *alone {
	t.Helper()
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	a := &alone{public: freeport.Text(t), admin: freeport.Text(t), file: filepath.Join(t.TempDir(), "coatcheck.yaml")}
	config := serveConfig
	if change != nil {
		config = change(config)
	}
	if err := os.WriteFile(a.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	_, key, _ := runCommand(nil, "keygen")
	a.Program = rig.Start(t, append(env, "PORT="+a.public, "ADMIN="+a.admin, "STORE=memory://", "API="+api, "KEY="+strings.TrimSpace(key)), file, "serve", "-config", a.file)
	rig.Until(t, "the process", func() bool { return rig.Status("http://127.0.0.1:"+a.admin+"/livez") == 200 })
	return a
}

func (a *alone) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := a.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// TestSupervisor: systemd is told when calls are answered, that the process lives, of
// a reload and of the end, in that order; a process that hangs falls silent.
func TestSupervisor(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := startAlone(t, "http://127.0.0.1:1", nil, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=200000")
	buf := make([]byte, 4096)
	// next is the next message that is not the watchdog's, and how many of those came before.
	next := func(limit time.Duration) (string, int) {
		_ = l.SetReadDeadline(time.Now().Add(limit))
		for beats := 0; ; beats++ {
			n, err := l.Read(buf)
			if err != nil {
				return "", beats
			}
			if text := string(buf[:n]); text != "WATCHDOG=1" {
				return text, beats
			}
		}
	}
	const patience = 2 * time.Minute
	if text, _ := next(patience); text != "READY=1" {
		t.Fatalf("first: %q", text)
	}
	for range 2 {
		_ = l.SetReadDeadline(time.Now().Add(patience))
		if n, err := l.Read(buf); err != nil || string(buf[:n]) != "WATCHDOG=1" {
			t.Fatalf("no sign of life: %q, %v", buf[:n], err)
		}
	}
	a.signal(t, syscall.SIGSTOP)
	var stopped syscall.WaitStatus
	if _, err := syscall.Wait4(a.Process.Pid, &stopped, syscall.WUNTRACED, nil); err != nil || !stopped.Stopped() {
		t.Fatalf("it does not stand still: %v, %v", stopped, err)
	}
	for drained := false; !drained; { // what was on its way
		raw, err := l.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			_, _, err := syscall.Recvfrom(int(fd), buf, syscall.MSG_DONTWAIT)
			drained = err == syscall.EAGAIN
		}); err != nil {
			t.Fatal(err)
		}
	}
	// To see that nothing comes takes a while; too short a one only makes the test see less.
	if text, beats := next(500 * time.Millisecond); text != "" || beats > 0 {
		t.Errorf("a process that stands still said %q and gave %d signs of life", text, beats)
	}
	a.signal(t, syscall.SIGCONT)
	a.signal(t, syscall.SIGHUP)
	if text, _ := next(patience); !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=\d+$`).MatchString(text) {
		t.Errorf("reload: %q", text)
	}
	if text, _ := next(patience); text != "READY=1" {
		t.Errorf("after the reload: %q", text)
	}
	a.signal(t, syscall.SIGTERM)
	if text, _ := next(patience); text != "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000" {
		t.Errorf("end: %q", text)
	}
	<-a.Exited
}

// TestSecondSignal: who cannot wait for the drain says so again.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	came, release := make(chan struct{}), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { close(came); <-release }))
	defer api.Close()
	defer close(release)
	a := startAlone(t, api.URL, func(s string) string {
		s = strings.Replace(s, "delay: 0s, timeout: 5s", "delay: 0s, timeout: 10m", 1)
		return strings.Replace(s, "{path: /api/, upstream: api}", "{path: /api/, upstream: api, session: none, header_timeout: 10m}", 1)
	})
	go func() { // ends with the process
		answer, err := http.Get("http://localhost:" + a.public + "/api/slow")
		if err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-came
	a.signal(t, syscall.SIGTERM)
	rig.Until(t, "the drain", func() bool { return strings.Contains(a.Log.String(), `"draining"`) })
	select {
	case <-a.Exited:
		t.Fatal("the drain did not wait for the call")
	case <-time.After(200 * time.Millisecond): // too short only makes the test see less
	}
	a.signal(t, syscall.SIGTERM)
	select {
	case <-a.Exited:
	case <-time.After(2 * time.Minute):
		t.Fatal("the second signal did not end the process")
	}
	if log := a.Log.String(); !strings.Contains(log, "calls were cut off") {
		t.Errorf("log: %s", log)
	}
}

// TestReloadUnderLoad: a hundred reloads, every other of a faulty file, while calls
// are made: none fails, and nothing is left behind.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer api.Close()
	a := startAlone(t, api.URL, func(s string) string {
		return strings.Replace(s, "{path: /api/, upstream: api}", "{path: /api/, upstream: api, session: none}", 1)
	})
	good, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	var calls, failed atomic.Int64
	var work sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				calls.Add(1)
				if rig.Status("http://localhost:"+a.public+"/api/x") != 200 {
					failed.Add(1)
				}
			}
		})
	}
	loaded := func(outcome string) int {
		return strings.Count(a.Log.String(), `"event":"configuration","outcome":"`+outcome+`"`)
	}
	before := 0
	for i := range 50 {
		if i == 5 {
			before = goroutinesOf(t, a.admin)
		}
		for outcome, text := range map[string][]byte{"changed": good, "kept": append(good[:len(good):len(good)], "\nnonsense: 1\n"...)} {
			if err := os.WriteFile(a.file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			n := loaded(outcome)
			a.signal(t, syscall.SIGHUP)
			rig.Until(t, "the reload", func() bool { return loaded(outcome) == n+1 })
		}
	}
	rig.Until(t, "a hundred calls", func() bool { return calls.Load() >= 100 })
	close(stop)
	work.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d calls failed", failed.Load(), calls.Load())
	}
	rig.Until(t, "no more goroutines than at first", func() bool { return goroutinesOf(t, a.admin) <= before+20 })
	t.Logf("%d calls", calls.Load())
}

func goroutinesOf(t *testing.T, admin string) int {
	t.Helper()
	answer, err := http.Get("http://127.0.0.1:" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	m := regexp.MustCompile(`(?m)^go_goroutines (\d+)`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatal("no go_goroutines")
	}
	n, _ := strconv.Atoi(m[1])
	return n
}
