package forward

import (
	"errors"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	defaultHeaderTimeout = 30 * time.Second
	defaultBodyIdle      = 5 * time.Minute

	// joined is how large a body in memory is copied behind its head, so that both
	// leave in one write; larger ones are handed to the kernel beside it.
	joined = 16 << 10
)

// ErrAborted says that [Call.Abort] ended the call.
var ErrAborted = errors.New("upstream: call aborted")

// aborted stands in Call.link once the call was aborted.
var aborted = new(conn)

// A Call is one request to the API. It can be used again after its [Response] was
// closed (see [Call.Reset]); then it costs no allocation.
type Call struct {
	// Head is the request line and the fields, each line ending in CRLF, without
	// the empty line behind them and without Content-Length, Transfer-Encoding,
	// Connection (but for an upgrade) and Expect. It is sent as it is. What of its array lies
	// behind it is Do's to use, and Head may lie in a larger one afterwards.
	Head []byte
	// IsHead says that the method is HEAD. Idempotent: GET, HEAD, OPTIONS, PUT or
	// DELETE. NeedsLength: POST, PUT or PATCH, which say Content-Length: 0 where
	// they have no body (RFC 9110 §8.6).
	IsHead, Idempotent, NeedsLength bool
	// Buffered is a body wholly in memory.
	Buffered []byte
	// Body is a body that streams; Buffered is then not looked at. It is read by one
	// goroutine at a time, the last time before Do returned an error or
	// [Response.Close] returned. An error of it, but for io.EOF, breaks the call off.
	Body io.Reader
	// BodyLength is the number of bytes in Body, or -1: chunked.
	BodyLength int64
	// StopBody, if set, makes a Read of Body that is under way return soon. It is
	// called at most once, by Do or by Response.Close, when the rest of the body is
	// of no use: the API answered early, or the connection broke. Without it both
	// wait until that Read returns.
	StopBody func()
	// Faulted, if set, hears of a panic on another goroutine, while a connection was opened or
	// Body was sent: the stack, which holds nothing of what the panic said. The call breaks off.
	Faulted func(stack []byte)
	// HeaderTimeout is the time from the last byte of the request to the response's
	// head; it may last an eighth longer. 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout is the silence allowed inside a body, either way; it may last an
	// eighth longer. 5 min.
	IdleTimeout time.Duration
	// Owner is who calls, where a kept connection is for its owner's calls only
	// ([Options].OwnerOnly). Nobody in particular is an owner, too.
	Owner string
	// Now is the time at which Do is called; zero: Do looks.
	Now time.Time
	// Sent, if set, is called once by Do, when nothing of Head and Buffered is read any more:
	// before the wait for the response, unless the call may have to be sent again.
	Sent func()
	// Upgrade says that Head asks for another protocol (RFC 9110 §7.8): 101 is then
	// a response, and [Response.Hijack] gives the connection.
	Upgrade bool

	link atomic.Pointer[conn] // the connection at work, or aborted
	via  *absolute            // how Head is written for a proxy; nil: as it is
	out  []byte               // the head with its framing
}

// Reset makes c ready for another request: everything is as in a new Call. A late
// [Call.Abort] that was meant for the last one would hit the next; whoever can call
// it must have been notified before.
func (c *Call) Reset() {
	c.link.Store(nil)
	c.Head, c.Buffered, c.Body, c.StopBody, c.Faulted, c.Sent = nil, nil, nil, nil, nil, nil
	c.IsHead, c.Idempotent, c.NeedsLength, c.Upgrade = false, false, false, false
	c.BodyLength, c.HeaderTimeout, c.IdleTimeout, c.Owner, c.Now = 0, 0, 0, "", time.Time{}
}

// Abort ends the call, from any goroutine and at any time between [Call.Reset] and
// the end of [Response.Close]: Do and Response.Read return soon, and the connection is
// never used again. Before Do, it makes Do fail. It does not wait.
func (c *Call) Abort() {
	if was := c.link.Swap(aborted); was != nil && was != aborted {
		was.kill()
	}
}

// attach makes k what Abort closes; false: already aborted.
func (c *Call) attach(k *conn) bool { return c.link.CompareAndSwap(nil, k) }

// detach takes k out of Abort's reach; false: Abort was first, k is dead.
func (c *Call) detach(k *conn) bool { return c.link.CompareAndSwap(k, nil) }

// streams reports whether the body has to be copied while the response may come.
func (c *Call) streams() bool { return c.Body != nil && c.BodyLength != 0 }

// repeatable reports whether the call may be sent a second time (RFC 9110 §9.2.2).
func (c *Call) repeatable() bool { return c.Idempotent && !c.streams() }

// sent says that nothing of Head and Buffered is read any more.
func (c *Call) sent() {
	if f := c.Sent; f != nil {
		c.Sent, c.out = nil, nil
		f()
	}
}

// assemble makes c.out the head with its framing. It takes the room behind Head for that.
func (c *Call) assemble() {
	c.out = c.Head
	if c.via != nil {
		c.out = c.via.append(nil, c.Head)
	}
	switch {
	case c.streams() && c.BodyLength < 0:
		c.out = append(c.out, "Transfer-Encoding: chunked\r\n"...)
	case c.streams():
		c.out = appendLength(c.out, c.BodyLength)
	case c.Body == nil && len(c.Buffered) > 0:
		c.out = appendLength(c.out, int64(len(c.Buffered)))
	case c.Body != nil || c.NeedsLength:
		c.out = appendLength(c.out, 0)
	}
	c.out = append(c.out, "\r\n"...)
	c.keepRoom()
}

// keepRoom lets Head lie where the room for what belongs behind it is, so that whoever owns
// it has that room the next time.
func (c *Call) keepRoom() {
	if c.via == nil {
		c.Head = c.out[:len(c.Head)]
	}
}

func appendLength(b []byte, n int64) []byte {
	b = append(b, "Content-Length: "...)
	return append(strconv.AppendInt(b, n, 10), "\r\n"...)
}

// send writes a request that is wholly in memory.
func (c *Call) send(w net.Conn) error {
	c.assemble()
	body := c.Buffered
	if c.Body != nil {
		body = nil
	}
	if len(body) <= joined {
		c.out = append(c.out, body...)
		c.keepRoom()
		_, err := w.Write(c.out)
		return err
	}
	parts := net.Buffers{c.out, body}
	_, err := parts.WriteTo(w)
	return err
}
