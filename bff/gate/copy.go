package gate

import (
	"io"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/relay"
)

const (
	// worthLarge is how long a body must be at least to begin with a large page,
	// worthPipe to be moved without a copy.
	worthLarge = 16 << 10
	worthPipe  = 256 << 10
)

// ReadFrom implements [io.ReaderFrom]: it writes what r gives as soon as r gives it.
// A buffer would hold a slow body back until it is full. A long body
// whose reader is a [relay.Source] goes from socket to socket.
func (c *Conn) ReadFrom(r io.Reader) (total int64, err error) {
	var page relay.Page
	defer page.Free()
	var w way
	w.open(c, r)
	defer w.pipe.Free()
	n := 0
	if body, ok := r.(*io.LimitedReader); ok && body.N >= worthLarge {
		n = relay.Flows
	}
	for ; err == nil; total += int64(n) {
		var ok bool
		if n, ok, err = w.step(c); !ok {
			n, err = copyPage(c, r, page.Next(n))
		}
	}
	if err == io.EOF {
		err = nil
	}
	return total, err
}

// WriteChunks writes what r gives as chunks, each at once, and the last one behind its end
// with the trailers that are there then, lines that end in CRLF (RFC 9112 §7.1). A body
// that breaks off has no last chunk.
func (c *Conn) WriteChunks(r io.Reader, trailers *[]byte) error {
	var memory relay.Page
	defer memory.Free()
	for n := 0; ; {
		page := memory.Next(n + http1.BeforeChunk + http1.BehindChunk)
		var err error
		n, err = r.Read(page[http1.BeforeChunk : len(page)-http1.BehindChunk])
		if n > 0 {
			if _, err := c.Write(http1.Chunk(page, n)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			end := append([]byte("0\r\n"), *trailers...)
			_, err = c.Write(append(end, "\r\n"...))
			return err
		}
		if err != nil {
			return err
		}
	}
}

// copyPage is one read and one write.
func copyPage(w io.Writer, r io.Reader, page []byte) (int, error) {
	n, err := r.Read(page)
	if n > 0 {
		if written, err := w.Write(page[:n]); err != nil {
			return written, err
		}
	}
	return n, err
}

// way is a body's way through a pipe of the kernel. Its zero value is closed.
type way struct {
	source relay.Source
	left   *int64 // of the body
	pipe   relay.Pipe
}

// open opens the way of a body that is bounded to its length.
func (w *way) open(c *Conn, r io.Reader) {
	body, ok := r.(*io.LimitedReader)
	if !ok || body.N < worthPipe || c.socket == nil {
		return
	}
	if source, ok := body.R.(relay.Source); ok && w.pipe.Open() {
		w.source, w.left = source, &body.N
	}
}

// step moves some bytes; ok is false where they have to be copied.
func (w *way) step(c *Conn) (n int, ok bool, err error) {
	if w.source == nil || *w.left == 0 {
		return 0, false, nil
	}
	n, ok, err = w.source.Fill(&w.pipe, *w.left)
	if !ok || err != nil {
		return 0, ok, err
	}
	*w.left -= int64(n)
	if err = c.writeDeadline(time.Now()); err == nil {
		err = w.pipe.Drain(c.socket)
	}
	return n, true, err
}
