package session_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// link is a wire to a server that tests can break: a TCP forwarder.
type link struct {
	t      testing.TB
	to     string
	listen net.Listener
	mu     sync.Mutex
	broken bool
	wires  []*wire
}

// wire is one forwarded connection; frozen, it takes bytes and passes none on.
type wire struct {
	near, far net.Conn
	mu        sync.Mutex
	frozen    bool
}

func startLink(t testing.TB, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &link{t: t, to: to, listen: l}
	go x.accept() // ends with the listener
	t.Cleanup(func() { _ = l.Close(); x.cut() })
	return x
}

func (l *link) addr() string { return l.listen.Addr().String() }

func (l *link) accept() {
	for {
		near, err := l.listen.Accept()
		if err != nil {
			return
		}
		l.connect(near)
	}
}

func (l *link) connect(near net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	far, err := net.Dial("tcp", l.to)
	if l.broken || err != nil {
		_ = near.Close()
		if err == nil {
			_ = far.Close()
		}
		return
	}
	w := &wire{near: near, far: far}
	l.wires = append(l.wires, w)
	go w.carry(near, far) // both end when either side closes
	go w.carry(far, near)
}

func (w *wire) carry(from, to net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		frozen := w.frozen
		w.mu.Unlock()
		if frozen {
			continue
		}
		if _, err := io.Copy(to, strings.NewReader(string(buffer[:n]))); err != nil {
			return
		}
	}
}

// freeze makes the connections of now half-open; new ones work.
func (l *link) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.wires {
		w.mu.Lock()
		w.frozen = true
		w.mu.Unlock()
	}
}

// cut closes all connections and refuses new ones; mend takes new ones again.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for _, w := range l.wires {
		_, _ = w.near.Close(), w.far.Close()
	}
	l.wires = nil
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = false
}
