package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/freeport"
)

// link is a TCP connection's middle: what comes from Redis can come late, stop, be
// cut off in the midst of an answer, or be a word of the test's own.
type link struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	fault    fault
	changed  chan struct{} // closed when fault changes
	conns    map[net.Conn]struct{}
}

type fault struct {
	latency time.Duration // before each piece of an answer
	stall   bool          // open, and nothing moves
	refuse  bool          // no connection lives
	reset   bool          // half of the next answer, then a reset
	word    string        // instead of Redis: this error to each command
	mute    bool          // what is published does not arrive; everything else does
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &link{listener: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	go k.accept() // ends with the listener
	t.Cleanup(func() { _ = l.Close(); k.set(fault{}); k.cut() })
	return k
}

func (k *link) addr() string { return k.listener.Addr().String() }

// set begins a fault, or ends it with the empty one. Connections that a fault of
// words or refusal cannot be shown on are cut.
func (k *link) set(f fault) {
	k.mu.Lock()
	was := k.fault
	k.fault = f
	close(k.changed)
	k.changed = make(chan struct{})
	k.mu.Unlock()
	if f.refuse || f.word != "" || was.word != "" {
		k.cut()
	}
}

func (k *link) now() (fault, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fault, k.changed
}

func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.conns {
		_ = c.Close()
	}
}

func (k *link) keep(c net.Conn, there bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if there {
		k.conns[c] = struct{}{}
	} else {
		delete(k.conns, c)
		_ = c.Close()
	}
}

func (k *link) accept() {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			return
		}
		go k.serve(c) // ends with the connection
	}
}

func (k *link) serve(c net.Conn) {
	k.keep(c, true)
	defer k.keep(c, false)
	f, _ := k.now()
	if f.refuse {
		return
	}
	if f.word != "" {
		k.say(c, f.word)
		return
	}
	server, err := net.Dial("tcp", k.target)
	if err != nil {
		return
	}
	k.keep(server, true)
	defer k.keep(server, false)
	go func() { _ = k.copy(server, c, false); _ = server.Close(); _ = c.Close() }() // ends with either
	if errors.Is(k.copy(c, server, true), errReset) {
		_ = c.(*net.TCPConn).SetLinger(0)
	}
}

var errReset = errors.New("reset")

func (k *link) copy(to, from net.Conn, answers bool) error {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return err
		}
		f, changed := k.now()
		for ; f.stall; f, changed = k.now() {
			<-changed
		}
		if answers && f.latency > 0 {
			select {
			case <-changed:
			case <-time.After(f.latency):
			}
		}
		if answers && f.mute && isMessage(b[:n]) {
			continue
		}
		if answers && f.reset && n > 1 {
			_, _ = to.Write(b[:n/2])
			return errReset
		}
		if _, err := to.Write(b[:n]); err != nil {
			return err
		}
	}
}

// isMessage reports whether b begins with something published, in RESP2 or RESP3.
func isMessage(b []byte) bool {
	return len(b) > 1 && strings.HasPrefix(string(b[1:]), "3\r\n$7\r\nmessage")
}

// say answers every command with one error, as a Redis in trouble does.
func (k *link) say(c net.Conn, word string) {
	r := bufio.NewReader(c)
	for {
		if _, err := readRESP(r); err != nil {
			return
		}
		if _, err := io.WriteString(c, "-"+word+"\r\n"); err != nil {
			return
		}
	}
}

// redisDo sends one command to the Redis at addr and returns its answer.
func redisDo(t *testing.T, addr string, args ...string) any {
	t.Helper()
	answer, err := tryRedis(addr, args...)
	if err != nil {
		t.Fatalf("%s: %v", args[0], err)
	}
	return answer
}

func tryRedis(addr string, args ...string) (any, error) {
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

// redisAt starts a Redis on a port, with what else it needs to be told.
func redisAt(t *testing.T, port string, args ...string) *process {
	t.Helper()
	p := start(t, nil, "redis-server", append([]string{"--port", port, "--bind", "127.0.0.1", "--save", ""}, args...)...)
	until(t, "Redis", func() bool {
		_, err := tryRedis("127.0.0.1:"+port, "PING")
		return err == nil || strings.HasPrefix(err.Error(), "NOAUTH")
	})
	return p
}

// oneRedis starts an empty Redis and returns its address.
func oneRedis(t *testing.T, args ...string) string {
	t.Helper()
	port := freeport.Text(t)
	redisAt(t, port, append([]string{"--dir", t.TempDir()}, args...)...)
	return "127.0.0.1:" + port
}
