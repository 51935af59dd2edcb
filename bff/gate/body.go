package gate

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"coatcheck/bff/http1"
	"coatcheck/bff/relay"
)

// body is the body of a request, under the gate's deadlines.
type body struct {
	r       *Request
	chunks  *http1.Chunks // nil: it has a length
	left    int64         // with a length: what is still to come
	read    int64
	limit   int64
	invite  invitation
	err     error
	stopped atomic.Bool
}

func (b *body) begin(r *Request, expects bool) {
	b.r, b.left, b.read, b.limit, b.err = r, max(0, r.head.Length), 0, 0, nil
	b.invite.begin(expects && r.HasBody())
	b.stopped.Store(false)
	b.end() // of the request before
	if r.head.Chunked {
		b.chunks = chunks.Get().(*http1.Chunks)
		b.chunks.Reset(&r.conn.in)
	}
}

// chunks are taken by the few bodies that need them.
var chunks = sync.Pool{New: func() any { return new(http1.Chunks) }}

// end gives back what the body needed, once nobody reads it any more.
func (b *body) end() {
	if b.chunks != nil {
		b.chunks.Reset(nil) // it is nobody's connection
		chunks.Put(b.chunks)
		b.chunks = nil
	}
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if b.err == nil && b.complete() {
		b.err = io.EOF
	}
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.next(p)
	b.read += int64(n)
	if b.limit > 0 && b.read > b.limit {
		n, err = 0, ErrBodyTooLarge
	}
	b.err = err
	return n, err
}

func (b *body) next(p []byte) (int, error) {
	c := b.r.conn
	if b.stopped.Load() || b.invite.send(c) != nil {
		return 0, ErrBodyBroken
	}
	if err := c.readDeadline(c.options().BodyIdle); err != nil || b.stopped.Load() {
		return 0, ErrBodyBroken
	}
	var n int
	var err error
	if b.chunks != nil {
		n, err = b.chunks.Read(p)
	} else {
		n, err = c.in.Read(p[:min(int64(len(p)), b.left)])
		b.left -= int64(n)
	}
	return n, b.explain(err)
}

// fill is next for a [relay.Source]: of a body with a length, whose bytes are not here yet.
func (b *body) fill(p *relay.Pipe, limit int64) (n int, ok bool, err error) {
	c := b.r.conn
	if b.err != nil || b.left == 0 || b.limit > 0 && b.read+b.left > b.limit || b.invite.isDue() || c.in.Len() > 0 || c.socket == nil {
		return 0, false, nil
	}
	if err := c.readDeadline(c.options().BodyIdle); err != nil || b.stopped.Load() {
		b.err = ErrBodyBroken
		return 0, true, b.err
	}
	n, ok, err = p.Fill(c.socket, min(limit, b.left))
	b.left -= int64(n)
	b.read += int64(n)
	b.err = b.explain(err)
	return n, ok, b.err
}

func (b *body) explain(err error) error {
	switch {
	case err == nil || err == io.EOF && b.complete():
		return err
	case isTimeout(err):
		return ErrBodyTimeout
	case errors.Is(err, http1.ErrMalformed):
		return errors.Join(ErrBodyBroken, err)
	}
	return ErrBodyBroken
}

func (b *body) complete() bool {
	if b.chunks != nil {
		return b.chunks.Done()
	}
	return b.left == 0
}

func (b *body) buffered() ([]byte, bool) {
	in := &b.r.conn.in
	if b.chunks != nil || b.read > 0 || b.left > int64(in.Len()) || b.limit > 0 && b.left > b.limit {
		return nil, false
	}
	whole := in.Buffered()[:b.left]
	in.Discard(int(b.left))
	b.read, b.left = b.left, 0
	return whole, true
}

func (b *body) finish() bool {
	if b.err != nil && b.err != io.EOF || b.stopped.Load() {
		return false
	}
	if b.chunks != nil {
		return b.chunks.Poll()
	}
	in := &b.r.conn.in
	skip := min(b.left, int64(in.Len()))
	in.Discard(int(skip))
	b.left -= skip
	return b.left == 0
}
