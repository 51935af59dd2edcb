package forward

import (
	"errors"
	"slices"
	"sync"
	"time"

	"coatcheck/bff/http1"
)

const (
	// handful is how large a body may be to be given out whole.
	handful = 64 << 10
	// atHand is how long a body that follows its head in a segment of its own may take.
	atHand = time.Millisecond
	// maxInterim is how many 1xx responses are skipped.
	maxInterim = 10
	// lastWords is how long a response is waited for after sending failed.
	lastWords = time.Second
)

var (
	errInterims = errors.New("too many interim responses")
	errSwitch   = errors.New("protocol switched unasked, or not at all")
	errInterim  = errors.New("interim response with a body")
	errOldChunk = errors.New("chunked in HTTP/1.0")
)

// How the end of a body is known (RFC 9112 §6.3).
type framing uint8

const (
	noBody framing = iota
	byLength
	byChunks
	byEnd
)

var handfuls = sync.Pool{New: func() any { b := make([]byte, handful); return &b }}

// A Response is what the API said. It can be used again after Close. Everything it
// gives out, Fields and Complete above all, is its own memory until then. One
// goroutine at a time may use it.
type Response struct {
	// Status is 200 to 599, or 101 where the call asked for an upgrade.
	Status int
	// Fields are the head's as they came, those of the connection (RFC 9110 §7.6.1)
	// and of the framing among them.
	Fields []http1.Field
	// Length is what Content-Length said, also where it describes a body that is not
	// there (HEAD, 304); -1 where it said nothing, 0 where a 204 said something.
	Length int64
	// Complete is the whole body where it was small (64 KiB) and at hand; not nil,
	// but empty, where there is none. Nil says that the body must be read.
	Complete []byte
	// Came is when Do had read the head, and with it the body where Complete has it.
	Came time.Time

	f       *Forwarder
	call    *Call
	conn    *conn // nil: closed, or handed over
	sending *upload

	parts   *parts // nil: no byte came yet
	framing framing
	left    int64  // bytes of the body that are still to come, byLength
	hand    []byte // bytes of the body that were read and not yet given out
	large   *[]byte
	err     error // what Read says from now on

	seen     bool // an interim response came
	reusable bool // the connection may be used again, if all goes well
	suspect  bool // a faulty API would send a body now
}

// parts are what a response is taken apart with. They are taken once its first byte is there:
// a call that waits for its response needs none of them.
type parts struct {
	head   http1.Head
	chunks http1.Chunks
	small  []byte // a body without its chunks
}

var partsPool = sync.Pool{New: func() any { return new(parts) }}

// Release gives back the memory of a closed response, for others to use: nothing that the
// response gave out may be looked at any more. Without it the response keeps its memory for
// its next call.
func (a *Response) Release() {
	if p := a.parts; p != nil {
		p.chunks.Reset(nil) // it is nobody's connection
		partsPool.Put(p)
		a.parts, a.Fields, a.framing = nil, nil, noBody
	}
}

// reset makes a new response to call, keeping memory.
func (a *Response) reset(call *Call) {
	a.Status, a.Fields, a.Length, a.Complete, a.Came = 0, nil, -1, nil, time.Time{}
	a.f, a.call, a.conn, a.sending = nil, call, nil, nil
	a.framing, a.left, a.hand, a.err = noBody, 0, nil, nil
	a.seen, a.reusable, a.suspect = false, false, false
}

// begun reports whether a byte of a response had come when readHead failed with err.
func (a *Response) begun(err error) bool {
	return a.seen || a.conn.reader.Len() > 0 ||
		errors.Is(err, http1.ErrMalformed) || errors.Is(err, http1.ErrTooLarge)
}

// readHead reads up to the head that counts.
func (a *Response) readHead(limit int) error {
	if r := &a.conn.reader; r.Len() == 0 {
		if err := r.Fill(limit); err != nil {
			return err
		}
	}
	if a.parts == nil {
		a.parts = partsPool.Get().(*parts)
	}
	for range maxInterim + 1 {
		h := &a.parts.head
		if err := h.ReadResponse(&a.conn.reader, limit); err != nil {
			return err
		}
		a.seen = true
		if h.Status >= 200 || h.Status == 101 {
			return a.frame()
		}
		if h.Length > 0 || h.Chunked {
			return errInterim
		}
	}
	return errInterims
}

// frame decides where the body ends (RFC 9112 §6.3), and whether the connection
// can be used behind it (§9.3).
func (a *Response) frame() error {
	h := &a.parts.head
	a.Status, a.Fields, a.Length = h.Status, h.Fields, h.Length
	a.reusable = !h.Close && (h.Minor == 1 || h.KeepAlive)
	switch {
	case h.Chunked && h.Minor == 0:
		return errOldChunk // RFC 9112 §6.1
	case h.Status == 101 && (!a.call.Upgrade || h.Length > 0 || h.Chunked):
		return errSwitch
	case h.Status == 101:
		a.reusable = false
	case h.Status == 204:
		a.reusable = a.reusable && h.Length <= 0 && !h.Chunked
		a.Length, a.suspect = 0, true
	case a.call.IsHead || h.Status == 304:
		a.suspect = true
	case h.Chunked:
		a.framing = byChunks
		a.parts.chunks.Reset(&a.conn.reader)
	case h.Length >= 0:
		a.framing, a.left = byLength, h.Length
	default:
		a.framing, a.reusable = byEnd, false
	}
	return nil
}

// inHand fills Complete where the body is small and at hand: in the buffer behind
// the head already, or after one more read.
func (a *Response) inHand() error {
	r := &a.conn.reader
	switch {
	case a.framing == noBody:
		a.Complete = []byte{}
	case a.framing == byChunks && a.parts.chunks.Whole():
		return a.unchunk()
	case a.framing == byLength && a.left <= int64(r.Len()):
		a.Complete = r.Buffered()[:a.left:a.left]
		r.Discard(int(a.left))
		a.left = 0
	case a.framing == byLength && a.left <= handful:
		return a.readAtHand()
	}
	a.hand = a.Complete
	return nil
}

// unchunk reads a body whose chunks are all in the buffer.
func (a *Response) unchunk() error {
	p := a.parts
	p.small = slices.Grow(p.small[:0], a.conn.reader.Len()) // more than the data
	for !p.chunks.Done() {
		n, err := p.chunks.Read(p.small[len(p.small):cap(p.small)])
		p.small = p.small[:len(p.small)+n]
		if err != nil && !p.chunks.Done() {
			return err
		}
	}
	a.Complete, a.hand = p.small, p.small
	return nil
}

// readAtHand reads the rest of a small body, if one read is enough for it that need not
// wait: the head, and what of the body came with it, are not held back for the rest.
func (a *Response) readAtHand() error {
	a.conn.unroll()
	if err := a.conn.net.SetReadDeadline(time.Now().Add(atHand)); err != nil {
		return err
	}
	a.large = handfuls.Get().(*[]byte)
	body := (*a.large)[:a.left]
	r := &a.conn.reader
	had := copy(body, r.Buffered())
	r.Discard(had)
	n, err := r.Read(body[had:])
	if n == 0 && err != nil && !isTimeout(err) {
		return err
	}
	a.hand = body[:had+n]
	if a.left -= int64(len(a.hand)); a.left == 0 {
		a.Complete = a.hand
	}
	return nil
}

// Close ends the response, read or not. The connection goes back to the pool if
// nothing speaks against it, and is closed otherwise. The request's body is not
// touched afterwards. Close may be called more than once; it returns nil.
func (a *Response) Close() error {
	c := a.conn
	if c == nil {
		a.giveBack()
		return nil
	}
	sent := a.sending == nil || a.sending.end(a.whole())
	a.conn = nil
	detached := a.call.detach(c)
	if sent && detached && a.reusable && a.whole() && c.reader.Len() == 0 {
		a.f.pool.put(c, a.suspect, a.ended())
	} else {
		a.f.pool.drop(c)
	}
	a.giveBack()
	return nil
}

// ended is when the response was over.
func (a *Response) ended() time.Time {
	if a.Complete != nil {
		return a.Came
	}
	return time.Now()
}

// whole reports whether the body was read from the connection to its end.
func (a *Response) whole() bool {
	switch a.framing {
	case byLength:
		return a.left == 0
	case byChunks:
		return a.parts.chunks.Done()
	case byEnd:
		return false
	}
	return true
}

// giveBack ends the use of borrowed memory.
func (a *Response) giveBack() {
	a.Complete, a.hand, a.sending = nil, nil, nil
	if a.large != nil {
		handfuls.Put(a.large)
		a.large = nil
	}
	if a.err == nil {
		a.err = errClosedResponse
	}
}
