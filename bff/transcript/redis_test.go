package transcript_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// store is a real Redis behind a socket file, reached through a TCP port that the
// kernel chose and this test owns, so that no port is guessed and the test can take
// the store away and bring it back.
type store struct {
	net.Listener
	socket string

	mu   sync.Mutex
	away bool
	open map[net.Conn]bool
}

func newStore(t *testing.T) *store {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis") // short: a socket's path has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &store{socket: filepath.Join(dir, "s"), open: map[net.Conn]bool{}}
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket, "--save", "", "--dir", dir)
	if err := server.Start(); err != nil {
		t.Fatalf("redis-server is needed (.ci/prepare installs it): %v", err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(); s.leave() })
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("unix", s.socket)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain for Redis: %v", err)
		}
	}
	go s.accept() // ends with the listener
	return s
}

func (s *store) url() string { return "redis://" + s.Addr().String() + "/0" }

func (s *store) accept() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		go s.pass(c) // ends with either connection
	}
}

func (s *store) pass(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	away := s.away
	s.open[c] = true
	s.mu.Unlock()
	if away {
		return
	}
	server, err := net.Dial("unix", s.socket)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { // ends with either connection
		_, _ = io.Copy(server, c)
		_ = server.Close()
	}()
	_, _ = io.Copy(c, server)
}

// leave takes the store away: open connections end, new ones end at once.
func (s *store) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = true
	for c := range s.open {
		_ = c.Close()
	}
	clear(s.open)
}

func (s *store) comeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = false
}
