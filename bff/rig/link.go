package rig

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Link is a TCP connection's middle: what comes from Redis can come late, stop, be
// cut off in the midst of an answer, or be a word of the test's own.
type Link struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	fault    Fault
	changed  chan struct{} // closed when fault changes
	conns    map[net.Conn]struct{}
}

// Fault is what a link does wrong; the zero value is nothing.
type Fault struct {
	Latency time.Duration // before each piece of an answer
	Stall   bool          // open, and nothing moves
	Refuse  bool          // no connection lives
	Reset   bool          // half of the next answer, then a reset
	Word    string        // instead of Redis: this error to each command
	Mute    bool          // what is published does not arrive; everything else does
}

// NewLink begins a link to a host and port; it ends with the test.
func NewLink(t testing.TB, target string) *Link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &Link{listener: l, target: target, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	go k.accept() // ends with the listener
	t.Cleanup(func() { _ = l.Close(); k.Set(Fault{}); k.Cut() })
	return k
}

// Addr is where the link listens: host and port.
func (k *Link) Addr() string { return k.listener.Addr().String() }

// Set begins a fault, or ends it with the empty one. Connections that a fault of
// words or refusal cannot be shown on are cut.
func (k *Link) Set(f Fault) {
	k.mu.Lock()
	was := k.fault
	k.fault = f
	close(k.changed)
	k.changed = make(chan struct{})
	k.mu.Unlock()
	if f.Refuse || f.Word != "" || was.Word != "" {
		k.Cut()
	}
}

func (k *Link) now() (Fault, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fault, k.changed
}

// Cut ends the connections there are.
func (k *Link) Cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.conns {
		_ = c.Close()
	}
}

func (k *Link) keep(c net.Conn, there bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if there {
		k.conns[c] = struct{}{}
	} else {
		delete(k.conns, c)
		_ = c.Close()
	}
}

func (k *Link) accept() {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			return
		}
		go k.serve(c) // ends with the connection
	}
}

func (k *Link) serve(c net.Conn) {
	k.keep(c, true)
	defer k.keep(c, false)
	f, _ := k.now()
	if f.Refuse {
		return
	}
	if f.Word != "" {
		k.say(c, f.Word)
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

func (k *Link) copy(to, from net.Conn, answers bool) error {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return err
		}
		f, changed := k.now()
		for ; f.Stall; f, changed = k.now() {
			<-changed
		}
		if answers && f.Latency > 0 {
			select {
			case <-changed:
			case <-time.After(f.Latency):
			}
		}
		if answers && f.Mute && isMessage(b[:n]) {
			continue
		}
		if answers && f.Reset && n > 1 {
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
func (k *Link) say(c net.Conn, word string) {
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
