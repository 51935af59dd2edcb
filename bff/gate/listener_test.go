package gate_test

import (
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

func listen(t *testing.T, failures int64, failing func(error)) *gate.Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &poor{Listener: inner}
	p.failures.Store(failures)
	l := gate.Listen(p, gate.Options{Header: 1 << 10, HeaderTimeout: time.Minute, BodyIdle: time.Minute, KeepAlive: time.Minute, Failing: failing})
	t.Cleanup(func() { _ = l.Close(); l.Stop() })
	return l
}

// The fear: a process without file descriptors stops accepting for good.
func TestAcceptOutlivesWant(t *testing.T) {
	var told atomic.Int64
	l := listen(t, 3, func(err error) {
		if errors.Is(err, syscall.EMFILE) {
			told.Add(1)
		}
	})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in, err := l.Accept()
	if err != nil || told.Load() != 3 {
		t.Fatalf("%v, told %d times", err, told.Load())
	}
	_ = in.Close()
}

// Closing ends a wait for descriptors too.
func TestCloseEndsWant(t *testing.T) {
	waiting := make(chan struct{}, 16)
	l := listen(t, 1<<30, func(error) { waiting <- struct{}{} })
	over := make(chan error)
	go func() { _, err := l.Accept(); over <- err }() // ends with Close
	<-waiting
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-over; !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
}

// A closed listener keeps its connections, and says when the last has ended.
func TestEmpty(t *testing.T) {
	l := listen(t, 0, nil)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("a closed listener takes connections in")
	}
	select {
	case <-l.Empty():
		t.Fatal("empty with a connection")
	default:
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if n, err := in.Read(make([]byte, 1<<10)); n == 0 || err != nil {
		t.Errorf("an open connection: %d, %v", n, err)
	}
	_ = in.Close()
	<-l.Empty()
}
