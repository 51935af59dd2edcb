package gate_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// poor is a listener of a process that has no file descriptors for a while.
type poor struct {
	net.Listener
	failures atomic.Int64
}

func (p *poor) Accept() (net.Conn, error) {
	if p.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return p.Listener.Accept()
}

// listen is a listener whose requests are answered with one line, until the test ends.
func listen(t *testing.T, failures int64, failing func(error)) (l *gate.Listener, address string, ended <-chan struct{}) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &poor{Listener: inner}
	p.failures.Store(failures)
	o := patient
	o.Failing = failing
	o.Serve = func(r *gate.Request) bool { return gate.Send(r.Conn(), time.Now(), []byte("answer\n"), nil) == nil }
	l = gate.Listen(p, o)
	over := make(chan struct{})
	go func() { l.Serve(); close(over) }() // ends with Close
	t.Cleanup(func() { _ = l.Close(); <-over; l.Stop() })
	return l, inner.Addr().String(), over
}

// call sends a request and waits for its answer.
func call(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); line != "answer\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// The fear: a process without file descriptors stops accepting for good.
func TestAcceptOutlivesWant(t *testing.T) {
	var told atomic.Int64
	_, address, _ := listen(t, 3, func(err error) {
		if errors.Is(err, syscall.EMFILE) {
			told.Add(1)
		}
	})
	call(t, dial(t, address))
	if told.Load() != 3 {
		t.Errorf("told %d times", told.Load())
	}
}

// Closing ends a wait for descriptors too.
func TestCloseEndsWant(t *testing.T) {
	waiting := make(chan struct{}, 16)
	l, _, ended := listen(t, 1<<30, func(error) { waiting <- struct{}{} })
	<-waiting
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// A closed listener keeps its connections, and says when the last has ended.
func TestEmpty(t *testing.T) {
	l, address, _ := listen(t, 0, nil)
	c := dial(t, address)
	call(t, c)
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		_ = c.Close()
		t.Error("a closed listener takes connections in")
	}
	select {
	case <-l.Empty():
		t.Fatal("empty with a connection")
	default:
	}
	call(t, c)
	_ = c.Close()
	<-l.Empty()
}
