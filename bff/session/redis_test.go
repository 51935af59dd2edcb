package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// The access control list of docs/redis.md: all tests against Redis run with it,
// so it cannot lack anything.
const (
	aclUser     = "coatcheck"
	aclPassword = "correct horse:battery@staple/1"
	aclRules    = "resetkeys ~coatcheck:* resetchannels &coatcheck:ev -@all " +
		"+hello +auth +ping +time +get +set +del +exists +getrange +setrange +pttl +pexpire " +
		"+hset +hlen +hexists +hgetall +hdel +zadd +zrem +zcard +zscore +zrange +zremrangebyscore " +
		"+eval +evalsha +publish +subscribe +unsubscribe +dbsize +randomkey " +
		"+wait +cluster|slots" // Sentinel, Cluster
)

// server is a real redis-server of one test.
type server struct {
	t    testing.TB
	port int
	dir  string
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

// newServer prepares a server on a free port without starting it.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not in PATH; `make tools` installs it")
	}
	s := &server{t: t, port: freePort(t), dir: t.TempDir()}
	sum := sha256.Sum256([]byte(aclPassword))
	acl := fmt.Sprintf("user default on nopass ~* &* +@all\nuser %s on #%s %s\n", aclUser, hex.EncodeToString(sum[:]), aclRules)
	file := filepath.Join(s.dir, "users.acl")
	if err := os.WriteFile(file, []byte(acl), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = append([]string{path, "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--aclfile", file, "--save", "", "--appendonly", "no", "--loglevel", "warning"}, args...)
	t.Cleanup(s.kill)
	return s
}

// startServer starts a server and waits until it answers.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, args...)
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(s.cmd, s.done)
	raw := s.raw()
	defer raw.Close()
	eventually(s.t, "redis-server answers", func() bool { return raw.Ping(context.Background()).Err() == nil })
}

// kill ends the server at once, as a crash does.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.done
		s.cmd = nil
	}
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *server) url() string { return s.urlAt(s.addr()) }

func (s *server) urlAt(addr string) string {
	return "redis://" + aclUser + ":correct%20horse%3Abattery%40staple%2F1@" + addr + "/0"
}

// raw is the tests' own connection, with all rights.
func (s *server) raw() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr(), MaxRetries: -1})
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually waits for a condition, half a minute at most.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}
