//go:build unix

package http1_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/socket"
)

// socketPair is both ends of a connection, until the test ends.
func socketPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return near, far
}

// TestWaitHoldsNoMemory: a reader that waits for the first byte of a socket holds no
// buffer, and what comes then is read as ever.
func TestWaitHoldsNoMemory(t *testing.T) {
	const readers, most = 400, 400 << 10 // with a buffer each it would be 1 600 KiB
	pairs := make([]net.Conn, readers)
	var all [readers]http1.Reader
	for i := range all {
		near, far := socketPair(t)
		pairs[i] = far
		all[i].Reset(socket.Wrap(near))
	}
	before := heap()
	var waits sync.WaitGroup
	for i := range all {
		waits.Go(func() {
			if err := all[i].Fill(1 << 10); err != nil || string(all[i].Buffered()) != "hello" {
				t.Errorf("%q, %v", all[i].Buffered(), err)
			}
		})
	}
	for stacks := make([]byte, 4<<20); bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("[IO wait")) < readers; {
		runtime.Gosched()
	}
	if grown := heap() - before; grown > most {
		t.Errorf("%d readers that wait hold %d KiB", readers, grown>>10)
	}
	for _, far := range pairs {
		_, _ = io.WriteString(far, "hello")
	}
	waits.Wait()
}

// heap is how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	for range 2 { // what a pool holds lives through one collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestFillOfSocket: the first read from a socket ends as every other does: with the bytes,
// the bound, the orderly end, a deadline, a reset, and a connection that was closed here.
func TestFillOfSocket(t *testing.T) {
	for name, row := range map[string]struct {
		do   func(near, far net.Conn)
		want error
	}{
		"bytes":    {func(_, far net.Conn) { _, _ = io.WriteString(far, "0123456789") }, nil},
		"end":      {func(_, far net.Conn) { _ = far.Close() }, io.EOF},
		"deadline": {func(near, _ net.Conn) { _ = near.SetReadDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		"reset":    {func(_, far net.Conn) { _ = far.(*net.TCPConn).SetLinger(0); _ = far.Close() }, syscall.ECONNRESET},
		"closed":   {func(near, _ net.Conn) { _ = near.Close() }, net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := socketPair(t)
			var r http1.Reader
			r.Reset(socket.Wrap(near))
			row.do(near, far)
			err := r.Fill(4)
			if !errors.Is(err, row.want) || err == nil && (string(r.Buffered()) != "0123" || r.Fill(4) != http1.ErrFull) {
				t.Errorf("%q, %v", r.Buffered(), err)
			}
			var failed net.Error
			if is := errors.As(err, &failed) && failed.Timeout(); is != (name == "deadline") {
				t.Errorf("a timeout: %v", is)
			}
		})
	}
}

// wrapped changes what comes from a socket.
type wrapped struct{ *net.TCPConn }

func (w wrapped) Read(p []byte) (int, error) {
	n, err := w.TCPConn.Read(p)
	return copy(p, bytes.ToUpper(p[:n])), err
}

// TestFillOfWrapped: what wraps a socket is read through its own Read.
func TestFillOfWrapped(t *testing.T) {
	near, far := socketPair(t)
	_, _ = io.WriteString(far, "hello")
	var r http1.Reader
	r.Reset(wrapped{near.(*net.TCPConn)})
	if err := r.Fill(1 << 10); err != nil || string(r.Buffered()) != "HELLO" {
		t.Errorf("%q, %v", r.Buffered(), err)
	}
}
