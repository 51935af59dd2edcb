package rig

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
)

// OpenRedis starts an empty Redis at a port of 127.0.0.1 that nobody else has, for tests
// that share one from TestMain. It returns once Redis answers, or after a minute.
func OpenRedis(args ...string) (address string, stop func(), err error) {
	port, release, err := freeport.Hold()
	if err != nil {
		return "", nil, err
	}
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	server := exec.Command("redis-server", append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", ""}, args...)...)
	if err := server.Start(); err != nil {
		release()
		return "", nil, fmt.Errorf("redis-server is needed (make test installs it): %w", err)
	}
	stop = func() { _ = server.Process.Kill(); _ = server.Wait(); release() }
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err = TryRedis(address, "PING"); err == nil {
			return address, stop, nil
		}
		if time.Now().After(end) {
			stop()
			return "", nil, err
		}
	}
}

// RedisAt starts a Redis at a port of 127.0.0.1, with further arguments, and waits until
// it answers.
func RedisAt(t testing.TB, port string, args ...string) *Program {
	t.Helper()
	p := Start(t, nil, "redis-server", append([]string{"--port", port, "--bind", "127.0.0.1", "--save", ""}, args...)...)
	Until(t, "Redis", func() bool {
		select {
		case <-p.Exited:
			t.Fatalf("redis-server ended at once: %s%s", &p.Printed, &p.Log)
		default:
		}
		_, err := TryRedis("127.0.0.1:"+port, "PING")
		return err == nil || strings.HasPrefix(err.Error(), "NOAUTH")
	})
	return p
}

// Redis starts an empty Redis and returns its address: host and port.
func Redis(t testing.TB, args ...string) (address string) {
	t.Helper()
	port := freeport.Text(t)
	RedisAt(t, port, append([]string{"--dir", t.TempDir()}, args...)...)
	return "127.0.0.1:" + port
}

// RedisDo sends one command to the Redis at addr and returns its answer.
func RedisDo(t testing.TB, addr string, args ...string) any {
	t.Helper()
	answer, err := TryRedis(addr, args...)
	if err != nil {
		t.Fatalf("%s: %v", args[0], err)
	}
	return answer
}

// TryRedis is RedisDo where an error is an answer as well.
func TryRedis(addr string, args ...string) (any, error) {
	c, err := net.DialTimeout("tcp", addr, time.Minute)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c, b.String()); err != nil {
		return nil, err
	}
	return readRESP(bufio.NewReader(c))
}

// readRESP reads one value of the Redis protocol (RESP2).
func readRESP(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil || len(line) < 3 {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	switch kind {
	case '-':
		return nil, errors.New(rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case '$', '*':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return nil, err
		}
		if kind == '*' {
			return readList(r, n)
		}
		b := make([]byte, n+2)
		_, err = io.ReadFull(r, b)
		return string(b[:n]), err
	}
	return rest, nil
}

func readList(r *bufio.Reader, n int) (any, error) {
	list := make([]any, n)
	for i := range list {
		var err error
		if list[i], err = readRESP(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}
