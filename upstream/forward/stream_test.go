package forward_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"coatcheck/upstream/forward"
)

// streamSize is how much flows in the tests of bounded memory; COATCHECK_LONG=1
// makes it a GiB.
func streamSize() int64 {
	if os.Getenv("COATCHECK_LONG") != "" {
		return 1 << 30
	}
	return 256 << 20
}

// pattern is a body in which every byte says where it stands: at modulo 251.
type pattern struct{ at, size int64 }

var patternPage = func() []byte {
	page := make([]byte, 64<<10)
	for i := range page {
		page[i] = byte(i % 251)
	}
	return page
}()

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	n := copy(b, patternPage[p.at%251:])
	p.at += int64(n)
	return n, nil
}

// checker takes a pattern and counts what fits.
type checker struct{ at int64 }

func (c *checker) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		want := patternPage[c.at%251:]
		want = want[:min(len(rest), len(want))]
		if !bytes.Equal(rest[:len(want)], want) {
			return 0, fmt.Errorf("wrong bytes behind %d", c.at)
		}
		c.at += int64(len(want))
		rest = rest[len(want):]
	}
	return len(b), nil
}

// Bodies of any size pass in bounded memory: all that is allocated, ever, stays
// below 32 MiB.
func TestStreamsInBoundedMemory(t *testing.T) {
	size := streamSize()
	api := serveWire(t, func(p *wirePeer) {
		for {
			head := p.head()
			if head == "" {
				return
			}
			var err error
			switch {
			case strings.HasPrefix(head, "GET /length"):
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size))
				_, err = io.Copy(p.Conn, onlyReader{&pattern{size: size}})
			case strings.HasPrefix(head, "GET /chunks"):
				p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				err = sayChunks(p, &pattern{size: size})
			default:
				err = p.expectPattern(head, size)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	f := newForwarder(t, api)
	late := 0
	for _, path := range []string{"/length", "/chunks"} {
		t.Run("down"+path, func(t *testing.T) {
			bounded(t, 32<<20, func() {
				var ans forward.Response
				if err := f.Do(newCall("GET", path), &ans); err != nil {
					t.Fatal(err)
				}
				defer ans.Close()
				var c checker
				if _, err := io.CopyBuffer(&c, onlyReader{&ans}, make([]byte, 32<<10)); err != nil || c.at != size {
					t.Error(c.at, err)
				}
			})
		})
	}
	for name, length := range map[string]int64{"length": size, "chunks": -1} {
		t.Run("up/"+name, func(t *testing.T) {
			for again := true; again; {
				bounded(t, 32<<20, func() {
					call := newCall("PUT", "/")
					call.Body, call.BodyLength = &pattern{size: size}, length
					got := do(f, call)
					if got.body != "got it" {
						t.Error(got)
					}
					if again = got.late; again {
						late++
					}
				})
			}
		})
	}
	if n := api.dialled(); n > 1+late {
		t.Errorf("%d connections, want 1: all of it was in order; %d calls were late", n, late)
	}
}

// onlyReader and onlyWriter hide everything else that these can do.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

func sayChunks(p *wirePeer, from io.Reader) error {
	room, out := make([]byte, 50<<10), make([]byte, 0, 51<<10)
	for {
		n, err := from.Read(room)
		if err == io.EOF {
			p.say("0\r\n\r\n")
			return nil
		}
		out = append(strconv.AppendInt(out[:0], int64(n), 16), "\r\n"...)
		out = append(append(out, room[:n]...), "\r\n"...)
		if _, err := p.Write(out); err != nil {
			return err
		}
	}
}

// expectPattern reads an upload whose head was read, strictly, and acknowledges it.
func (p *wirePeer) expectPattern(head string, size int64) error {
	var c checker
	switch {
	case strings.Contains(head, fmt.Sprintf("\r\nContent-Length: %d\r\n", size)):
		if _, err := io.CopyN(&c, p.in, size); err != nil {
			return err
		}
	case strings.Contains(head, "\r\nTransfer-Encoding: chunked\r\n"):
		if err := readChunks(p, &c); err != nil {
			return err
		}
	default:
		return errors.New("no framing in the request")
	}
	if c.at != size {
		return fmt.Errorf("%d bytes arrived", c.at)
	}
	p.say(ok("got it"))
	return nil
}

// readChunks is a reader of chunks that allows nothing but chunks.
func readChunks(p *wirePeer, to io.Writer) error {
	room, end := make([]byte, 32<<10), make([]byte, 2)
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(line, "\r\n"), 16, 64)
		if err != nil {
			return err
		}
		part := onlyReader{io.LimitReader(p.in, n)}
		if got, err := io.CopyBuffer(onlyWriter{to}, part, room); err != nil || got != n {
			return fmt.Errorf("%d of %d bytes of a chunk, %v", got, n, err)
		}
		if _, err := io.ReadFull(p.in, end); err != nil || string(end) != "\r\n" {
			return fmt.Errorf("chunk ends in %q, %v", end, err)
		}
		if n == 0 {
			return nil
		}
	}
}

func bounded(t *testing.T, limit uint64, f func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > limit {
		t.Errorf("%d MiB allocated", grown>>20)
	}
}
