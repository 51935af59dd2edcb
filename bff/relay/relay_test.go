package relay_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/relay"
)

// pair is a connection's two ends.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// openPipe skips the test where the system has none.
func openPipe(t *testing.T) *relay.Pipe {
	t.Helper()
	p := new(relay.Pipe)
	if !p.Open() {
		t.Skip("bodies go through pages on this system")
	}
	t.Cleanup(p.Free)
	return p
}

// A pipe moves every byte, in order, no more of them than is asked for, and knows the end.
func TestPipeMovesBytes(t *testing.T) {
	from, source := pair(t)
	to, sink := pair(t)
	p := openPipe(t)
	text := bytes.Repeat([]byte("0123456789abcdef-"), 200_000)
	const bound = 3_000_000
	var work sync.WaitGroup
	work.Go(func() {
		_, _ = source.Write(text)
		_ = source.Close()
	})
	var got []byte
	work.Go(func() { got, _ = io.ReadAll(sink) })
	in, out, left := relay.Socket(from), relay.Socket(to), int64(bound)
	for left > 0 {
		n, ok, err := p.Fill(in, left)
		if !ok || err != nil || n < 1 || int64(n) > left {
			t.Fatalf("%d, %v, %v", n, ok, err)
		}
		if err := p.Drain(out); err != nil {
			t.Fatal(err)
		}
		left -= int64(n)
	}
	_ = to.Close()
	rest, err := io.ReadAll(from)
	work.Wait()
	if !bytes.Equal(got, text[:bound]) || !bytes.Equal(rest, text[bound:]) || err != nil {
		t.Errorf("%d bytes came and %d were left, %v", len(got), len(rest), err)
	}
	if n, ok, err := p.Fill(in, 1); n != 0 || !ok || err != io.EOF {
		t.Errorf("at the end: %d, %v, %v", n, ok, err)
	}
}

// A step waits as a read and a write do: for the deadline, and for the end.
func TestPipeMindsDeadlines(t *testing.T) {
	from, source := pair(t)
	to, _ := pair(t)
	p := openPipe(t)
	_ = from.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, ok, err := p.Fill(relay.Socket(from), 1); !ok || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing comes: %v, %v", ok, err)
	}
	_ = from.SetReadDeadline(time.Time{})
	go func() { // ends with the connection
		for page := make([]byte, 64<<10); ; {
			if _, err := source.Write(page); err != nil {
				return
			}
		}
	}()
	for { // nobody reads at the other end, which fills up
		if _, _, err := p.Fill(relay.Socket(from), 1<<20); err != nil {
			t.Fatal(err)
		}
		_ = to.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		err := p.Drain(relay.Socket(to))
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		break
	}
}

// The fear: bytes that could not be delivered stay in a pipe, and somebody else gets them.
func TestPipeIsEmptyForTheNext(t *testing.T) {
	for range 100 {
		from, source := pair(t)
		to, sink := pair(t)
		p := openPipe(t)
		_, _ = source.Write([]byte("a secret of the last one"))
		if _, _, err := p.Fill(relay.Socket(from), 100); err != nil {
			t.Fatal(err)
		}
		p.Free() // undelivered
		if !p.Open() {
			t.Fatal("no pipe")
		}
		_, _ = source.Write([]byte("hello"))
		n, _, err := p.Fill(relay.Socket(from), 100)
		if err != nil || p.Drain(relay.Socket(to)) != nil {
			t.Fatal(err)
		}
		_ = to.Close()
		if got, _ := io.ReadAll(sink); n != len("hello") || string(got) != "hello" {
			t.Fatalf("%d bytes: %q", n, got)
		}
		p.Free()
		for _, c := range []io.Closer{from, source, sink} {
			_ = c.Close()
		}
	}
}

// A page is small until a read fills it, and small again once less comes.
func TestPagesGrowWithTheFlow(t *testing.T) {
	var p relay.Page
	defer p.Free()
	for i, step := range []struct{ last, size int }{{0, 1 << 10}, {100, 1 << 10}, {1 << 10, 64 << 10}, {64 << 10, 64 << 10}, {5000, 64 << 10}, {1023, 1 << 10}, {1 << 10, 64 << 10}} {
		if got := len(p.Next(step.last)); got != step.size {
			t.Errorf("step %d: %d bytes, want %d", i, got, step.size)
		}
	}
}
