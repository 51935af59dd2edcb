package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/freeport"
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

// newServer prepares a server on a port of its own without starting it.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not in PATH; `make test` installs it")
	}
	s := &server{t: t, port: freeport.Number(t), dir: t.TempDir()}
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

// replicated waits until the replicas of s have all that s has written so far. A
// manager asks for an acknowledgement as well, but waits only 200 ms for it, which a
// busy machine can take.
func (s *server) replicated() {
	s.t.Helper()
	ctx, client := context.Background(), s.raw()
	defer client.Close()
	eventually(s.t, "a replica has it all", func() bool {
		info, err := client.Info(ctx, "replication").Result()
		return err == nil && caughtUp(info)
	})
}

// caughtUp reports whether the first replica has read as far as its master wrote.
func caughtUp(info string) bool {
	var written, read string
	for line := range strings.Lines(info) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); name == "master_repl_offset" {
			written = value
		} else if name == "slave0" {
			_, offset, _ := strings.Cut(value, "offset=")
			read, _, _ = strings.Cut(offset, ",")
		}
	}
	return written != "" && written == read
}

// eventually waits for a condition, two minutes at most: only what never happens may
// fail, however busy the machine is.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(2 * time.Minute); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}
