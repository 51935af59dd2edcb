package http1

import (
	"errors"
	"io"
	"sync"
)

// firstSize is what a buffer holds before a head proves to be longer.
const firstSize = 4 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, firstSize); return &b }}

// ErrFull says that a Reader's buffer reached its bound and nothing was taken from it.
var ErrFull = errors.New("http1: buffer full")

// A LateReader can be read without memory held while it waits.
type LateReader interface {
	// ReadLate is Read into what take returns. It calls take before each try, and free
	// where a try found nothing, before it waits. An error of take ends it.
	ReadLate(take func() ([]byte, error), free func()) (n int, err error)
}

// Reader is a buffer in front of a connection. Unlike bufio.Reader it gives its
// memory back when it is empty ([Reader.Release]), and grows only for a head that needs
// it. In front of a [LateReader] it takes memory only once bytes are there, so that a
// connection that is idle, or waits for an answer, holds none.
type Reader struct {
	src  io.Reader
	late late
	page *[]byte
	buf  []byte
	r, w int
}

// Reset makes r read from src, dropping what was buffered.
func (r *Reader) Reset(src io.Reader) {
	r.r, r.w = 0, 0
	r.Release()
	r.src = src
	r.late.reset(r, src)
}

// Buffered returns what was read and not yet taken. It is valid until the next call.
func (r *Reader) Buffered() []byte { return r.buf[r.r:r.w] }

// Len is the number of buffered bytes.
func (r *Reader) Len() int { return r.w - r.r }

// Discard takes n buffered bytes; n is at most [Reader.Len].
func (r *Reader) Discard(n int) { r.r += n }

// Release gives an empty buffer back; a buffer that holds bytes stays.
func (r *Reader) Release() {
	if r.page == nil || r.r != r.w {
		return
	}
	if len(r.buf) == firstSize {
		buffers.Put(r.page)
	}
	r.page, r.buf, r.r, r.w = nil, nil, 0, 0
}

// Fill reads once from the source behind what is buffered; the buffer grows up to
// max bytes, then ErrFull. It returns nil once at least one byte came.
func (r *Reader) Fill(max int) error {
	if done, err := r.fillLate(max); done {
		return err
	}
	if err := r.room(max); err != nil {
		return err
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:min(len(r.buf), r.r+max)])
		r.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func (r *Reader) room(max int) error {
	switch {
	case r.page == nil:
		r.page = buffers.Get().(*[]byte)
		r.buf, r.r, r.w = *r.page, 0, 0
	case r.r == r.w:
		r.r, r.w = 0, 0
	case r.w-r.r >= max:
		return ErrFull
	case r.w < len(r.buf):
	case r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	default:
		grown := make([]byte, min(4*len(r.buf), max))
		r.w = copy(grown, r.buf)
		if len(r.buf) == firstSize {
			buffers.Put(r.page)
		}
		r.page, r.buf = &grown, grown
	}
	return nil
}

// Read implements [io.Reader]: buffered bytes first, then straight from the source.
func (r *Reader) Read(p []byte) (int, error) {
	if r.r < r.w {
		n := copy(p, r.buf[r.r:r.w])
		r.r += n
		return n, nil
	}
	return r.src.Read(p)
}
