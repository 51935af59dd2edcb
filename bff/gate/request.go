package gate

import (
	"errors"
	"slices"
	"sync"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/relay"
)

// Request is a request that came through the gate. Its bytes are valid until the
// answer was written.
type Request struct {
	conn *Conn
	head http1.Head
	body body
}

var requests = sync.Pool{New: func() any { return new(Request) }}

func acquireRequest(c *Conn) *Request {
	r := requests.Get().(*Request)
	r.conn = c
	return r
}

func releaseRequest(r *Request) {
	r.body.end()
	r.conn = nil
	requests.Put(r)
}

// Refusals of the gate's own, beside those of package http1.
var (
	errMethod = errors.New("gate: method not known")
	errExpect = errors.New("gate: expectation not known")
)

// methods that are always known; [Options.Methods] are more. CONNECT would make a tunnel of us; TRACE echoes cookies
// to scripts (cross-site tracing).
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// isKnown reports whether a method is one of methods.
func isKnown(method []byte) bool {
	for _, m := range methods {
		if string(method) == m {
			return true
		}
	}
	return false
}

// Check says of a well-formed head why it does not come in all the same; nil: it does.
// more are methods that are known besides the usual ones.
func Check(h *http1.Head, more []string) error {
	if !isKnown(h.Method) && !slices.Contains(more, string(h.Method)) {
		return errMethod
	}
	if expect, count := h.Get("expect"); count > 1 || count == 1 && !http1.EqualFold(expect, "100-continue") {
		return errExpect
	}
	return nil
}

// admit looks at what the grammar leaves open.
func (r *Request) admit() error {
	h := &r.head
	if err := Check(h, r.conn.options().Methods); err != nil {
		return err
	}
	_, expects := h.Get("expect")
	r.body.begin(r, expects == 1 && h.Minor == 1)
	return nil
}

// Head is the request's head, every field as it was sent.
func (r *Request) Head() *http1.Head { return &r.head }

// Conn is the connection that the request came on.
func (r *Request) Conn() *Conn { return r.conn }

// BodyLength is Content-Length, -1 for a chunked body, 0 for none.
func (r *Request) BodyLength() int64 {
	if r.head.Chunked {
		return -1
	}
	return max(0, r.head.Length)
}

// HasBody reports whether the request announces a body, be it an empty one.
func (r *Request) HasBody() bool { return r.head.Chunked || r.head.Length > 0 }

// Buffered returns the whole body where it has a length and is already here.
func (r *Request) Buffered() ([]byte, bool) { return r.body.buffered() }

// LimitBody makes reads beyond n bytes fail with [ErrBodyTooLarge]; 0 = no limit.
func (r *Request) LimitBody(n int64) { r.body.limit = n }

// BodyRead is how many bytes of the body were read.
func (r *Request) BodyRead() int64 { return r.body.read }

// Read reads the body: io.EOF behind a complete one, else one of the sentinels of
// this package. The first read answers an "Expect: 100-continue".
func (r *Request) Read(p []byte) (int, error) { return r.body.Read(p) }

// Fill implements [relay.Source].
func (r *Request) Fill(p *relay.Pipe, limit int64) (n int, ok bool, err error) {
	return r.body.fill(p, limit)
}

// Interrupt makes a Read that is under way in another goroutine, and all that
// follow, fail soon: nobody wants the rest.
func (r *Request) Interrupt() {
	r.body.stopped.Store(true) // first: a Read that moves the deadline looks afterwards
	_ = r.conn.SetReadDeadline(time.Unix(1, 0))
}

// Linger makes the connection end with the answer, reading on for a moment.
func (r *Request) Linger() { r.conn.linger.Store(true) }

// Finish reports whether the whole body was read, skipping without waiting what is
// already here. Where it is false the connection must end with the answer, and will
// linger: the peer's TCP would throw an answer away that a reset overtakes.
func (r *Request) Finish() bool {
	done := r.body.finish()
	if !done {
		r.conn.linger.Store(true)
	}
	return done
}
