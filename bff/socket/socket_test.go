package socket_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/socket"
)

// kinds are the connections that can be wrapped, and the listener of each.
var kinds = map[string]func(*testing.T) (net.Listener, error){
	"tcp": func(*testing.T) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
	"unix": func(t *testing.T) (net.Listener, error) {
		dir, err := os.MkdirTemp("", "s") // t.TempDir can be too long for a socket's path
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		if err != nil {
			return nil, err
		}
		return net.Listen("unix", filepath.Join(dir, "s"))
	},
}

// each runs a test for every kind: near is wrapped by the listener, far is not.
func each(t *testing.T, test func(t *testing.T, near, far net.Conn)) {
	for name, listen := range kinds {
		t.Run(name, func(t *testing.T) {
			l, err := listen(t)
			if err != nil {
				if name == "unix" && runtime.GOOS == "windows" {
					t.Skip(err)
				}
				t.Fatal(err)
			}
			defer l.Close()
			far, err := net.Dial(l.Addr().Network(), l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = far.Close() })
			near, err := socket.Listener{Listener: l}.Accept()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = near.Close() })
			test(t, near, far)
		})
	}
}

// TestBytes: what is written arrives, both ways, in pieces of every size, those among them
// that are left to the standard library.
func TestBytes(t *testing.T) {
	each(t, func(t *testing.T, near, far net.Conn) {
		sent := make([]byte, 3<<20)
		_, _ = rand.Read(sent)
		for _, way := range []struct{ from, to net.Conn }{{near, far}, {far, near}} {
			var work sync.WaitGroup
			work.Go(func() {
				for rest, size := sent, 1; len(rest) > 0; size = min(3*size, len(rest)) {
					n, err := way.from.Write(rest[:size])
					if err != nil || n != size {
						t.Errorf("%d of %d: %v", n, size, err)
						return
					}
					rest = rest[n:]
				}
			})
			var got []byte
			for page := make([]byte, 1); len(got) < len(sent); page = make([]byte, min(2*len(page), 256<<10)) {
				n, err := way.to.Read(page)
				if err != nil {
					t.Fatalf("after %d bytes: %v", len(got), err)
				}
				got = append(got, page[:n]...)
			}
			work.Wait()
			if !bytes.Equal(got, sent) {
				t.Error("not what was sent")
			}
		}
	})
}

// TestEnds: a read ends in the same ways as one of a connection that is not wrapped.
func TestEnds(t *testing.T) {
	for name, row := range map[string]struct {
		do   func(near, far net.Conn)
		want error
	}{
		"end":             {func(_, far net.Conn) { _ = far.Close() }, io.EOF},
		"one half's end":  {func(_, far net.Conn) { _ = far.(interface{ CloseWrite() error }).CloseWrite() }, io.EOF},
		"deadline":        {func(near, _ net.Conn) { _ = near.SetReadDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		"passed deadline": {func(near, _ net.Conn) { _ = near.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"closed":          {func(near, _ net.Conn) { _ = near.Close() }, net.ErrClosed},
		"closed later":    {func(near, _ net.Conn) { time.AfterFunc(time.Millisecond, func() { _ = near.Close() }) }, net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, near, far net.Conn) {
				if n, err := near.Read(nil); n != 0 || err != nil {
					t.Errorf("reading nothing: %d, %v", n, err)
				}
				row.do(near, far)
				n, err := near.Read(make([]byte, 10))
				var failed net.Error
				if n != 0 || !errors.Is(err, row.want) || (errors.As(err, &failed) && failed.Timeout()) != (row.want == os.ErrDeadlineExceeded) {
					t.Errorf("%d, %v", n, err)
				}
			})
		})
	}
}

// TestWriteEnds: a write to a peer that does not read, or has left, ends as one of a
// connection that is not wrapped, and says how much the kernel has taken.
func TestWriteEnds(t *testing.T) {
	each(t, func(t *testing.T, near, far net.Conn) {
		taken, page := 0, make([]byte, 48<<10)
		_ = near.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		var err error
		for n := 0; err == nil; taken += n {
			n, err = near.Write(page)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if n, err := near.Write(page); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %d, %v", n, err)
		}
		if n, err := io.CopyN(io.Discard, far, int64(taken)); err != nil {
			t.Fatalf("%d of %d: %v", n, taken, err)
		}
		_ = near.SetWriteDeadline(time.Time{})
		_ = far.Close()
		for err = nil; err == nil; {
			_, err = near.Write(page)
		}
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		_ = near.Close()
		if n, err := near.Write(page); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %d, %v", n, err)
		}
	})
}

// TestTurns: pieces that several write at once do not mix, and each is read once.
func TestTurns(t *testing.T) {
	each(t, func(t *testing.T, near, far net.Conn) {
		const writers, pieces, size = 8, 50, 4 << 10
		var work sync.WaitGroup
		for i := range writers {
			work.Go(func() {
				for range pieces {
					_, _ = near.Write(bytes.Repeat([]byte{byte(i)}, size))
				}
			})
		}
		piece, seen := make([]byte, size), map[byte]int{}
		for range writers * pieces {
			if _, err := io.ReadFull(far, piece); err != nil {
				t.Fatal(err)
			}
			if bytes.Count(piece, piece[:1]) != size {
				t.Fatal("two pieces are mixed")
			}
			seen[piece[0]]++
		}
		work.Wait()
		for i := range byte(writers) {
			if seen[i] != pieces {
				t.Errorf("%d pieces of %d", seen[i], i)
			}
		}
	})
}

// TestWrapsSockets: what is no socket is returned as it is.
func TestWrapsSockets(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if socket.Wrap(near) != near {
		t.Error("a pipe was wrapped")
	}
	each(t, func(t *testing.T, near, _ net.Conn) {
		if socket.Wrap(near) != near {
			t.Error("wrapped twice")
		}
	})
}
