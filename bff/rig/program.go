// Package rig is what the tests stand on: the built program and others as processes of
// their own, a Redis, a link to it that can be spoiled, and waiting for conditions.
// Only tests import it.
package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/freeport"
)

// Binary is the file of the program as people run it, built once for each test binary.
// [Main] removes it.
var Binary = sync.OnceValues(func() (file string, err error) {
	dir, err := os.MkdirTemp("", "coatcheck")
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "coatcheck")
	build := exec.Command("go", "build", "-o", file, "./bff")
	build.Dir = root()
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

// root is the folder of the main module.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Main runs the tests of a package that uses [Binary], and returns their exit code.
func Main(m *testing.M) (code int) {
	code = m.Run()
	if file, err := Binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	return code
}

// Program is a process that ends with its test.
type Program struct {
	*exec.Cmd
	// Printed is its standard output, Log its standard error.
	Printed, Log Buffer
	// Exited is closed when the process has ended.
	Exited chan struct{}
}

// Buffer is memory that a process writes while a test reads.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements [io.Writer].
func (l *Buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was written so far.
func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Start starts a program with env ("NAME=value") beside the test's own environment.
func Start(t testing.TB, env []string, name string, args ...string) *Program {
	t.Helper()
	p := &Program{Cmd: exec.Command(name, args...), Exited: make(chan struct{})}
	p.Env = append(os.Environ(), env...)
	p.Stdout, p.Stderr, p.WaitDelay = &p.Printed, &p.Log, time.Minute // a child of its own may outlive it
	if err := p.Start(); err != nil {
		t.Fatalf("%s is needed (make test installs it): %v", name, err)
	}
	go func() { defer close(p.Exited); _ = p.Wait() }() // ends with the process
	t.Cleanup(func() { _ = p.Process.Kill(); <-p.Exited })
	return p
}

// Key is a sealing key for tests.
const Key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

// Served is the program, serving a configuration.
type Served struct {
	*Program
	// Address is host and port of the pages, Admin the URL of the admin listener.
	Address, Admin string
}

// Serve serves a configuration, with PORT, ADMIN and KEY in its environment besides env,
// and waits until it is ready.
func Serve(t testing.TB, config string, env ...string) *Served {
	t.Helper()
	binary, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	port, admin := freeport.Text(t), freeport.Text(t)
	env = append([]string{"PORT=" + port, "ADMIN=" + admin, "KEY=" + Key}, env...)
	s := &Served{Start(t, env, binary, "serve", "-config", file), "127.0.0.1:" + port, "http://127.0.0.1:" + admin}
	Until(t, "readiness", func() bool { return Status(s.Admin+"/readyz") == 200 })
	return s
}

// patience is how long a condition is waited for: only what never happens may fail,
// however busy the machine is.
const patience = 2 * time.Minute

// Until waits for a condition, two minutes at most.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
