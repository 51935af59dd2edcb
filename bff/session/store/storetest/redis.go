package storetest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
)

// The access control list of docs/redis.md: all tests against Redis run with it,
// so it cannot lack anything.
const (
	User     = "coatcheck"
	Password = "correct horse:battery@staple/1"
	ACL      = "resetkeys ~coatcheck:* resetchannels &coatcheck:ev -@all " +
		"+hello +auth +ping +time +get +set +del +exists +getrange +setrange +pttl +pexpire " +
		"+hset +hlen +hexists +hgetall +hdel +zadd +zrem +zcard +zscore +zrange +zremrangebyscore " +
		"+eval +evalsha +publish +subscribe +unsubscribe +dbsize +randomkey " +
		"+wait +cluster|slots" // Sentinel, Cluster
)

// Redis is a real redis-server of one test. It is spoken to in plain text here, so that
// only package redis imports a client.
type Redis struct {
	t    testing.TB
	Port int      // on 127.0.0.1
	Dir  string   // where its files are
	Args []string // of redis-server; add to them before Start
	cmd  *exec.Cmd
	done chan struct{}
}

// NewRedis prepares a server on a port of its own without starting it.
func NewRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not in PATH; `make test` installs it")
	}
	s := &Redis{t: t, Port: freeport.Number(t), Dir: t.TempDir()}
	sum := sha256.Sum256([]byte(Password))
	acl := fmt.Sprintf("user default on nopass ~* &* +@all\nuser %s on #%s %s\n", User, hex.EncodeToString(sum[:]), ACL)
	file := filepath.Join(s.Dir, "users.acl")
	if err := os.WriteFile(file, []byte(acl), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Args = append([]string{path, "--port", fmt.Sprint(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir,
		"--aclfile", file, "--save", "", "--appendonly", "no", "--loglevel", "warning"}, args...)
	t.Cleanup(s.Kill)
	return s
}

// StartRedis starts a server and waits until it answers.
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	s := NewRedis(t, args...)
	s.Start()
	return s
}

// Start starts it and waits until it answers.
func (s *Redis) Start() {
	s.t.Helper()
	s.cmd = exec.Command(s.Args[0], s.Args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(s.cmd, s.done)
	Eventually(s.t, "redis-server answers", func() bool { return s.ask("PING") == "+PONG" })
}

// Kill ends the server at once, as a crash does.
func (s *Redis) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.done
		s.cmd = nil
	}
}

// Addr is its address, host and port.
func (s *Redis) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// URL is its address as a store's URL, with the user of docs/redis.md.
func (s *Redis) URL() string { return s.URLAt(s.Addr()) }

// URLAt is URL with another address, such as that of a link in between.
func (s *Redis) URLAt(addr string) string {
	return "redis://" + User + ":correct%20horse%3Abattery%40staple%2F1@" + addr + "/0"
}

// ask sends one command as a line, as the protocol allows, and returns the answer's one
// line or its one string; empty where there is none.
func (s *Redis) ask(command string) string {
	c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = fmt.Fprintf(c, "%s\r\n", command)
	in := bufio.NewReader(c)
	line, _ := in.ReadString('\n')
	line = strings.TrimSpace(line)
	if size, err := strconv.Atoi(strings.TrimPrefix(line, "$")); err == nil && strings.HasPrefix(line, "$") {
		bulk := make([]byte, size)
		_, _ = io.ReadFull(in, bulk)
		return string(bulk)
	}
	return line
}

// Replicated waits until the replicas of s have all that s has written so far. A
// manager asks for an acknowledgement as well, but waits only 200 ms for it, which a
// busy machine can take.
func (s *Redis) Replicated() {
	s.t.Helper()
	Eventually(s.t, "a replica has it all", func() bool { return caughtUp(s.ask("INFO replication")) })
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
