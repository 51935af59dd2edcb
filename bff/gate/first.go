package gate

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Turn is whose turn a request is.
type Turn int

// Whose it can be. The zero value is the web server's.
const (
	// Passed: the web server answers; [Request.Pass] has said so.
	Passed Turn = iota
	// Answered: the answer is out, and the connection goes on.
	Answered
	// Last: the connection ends. What of an answer was due is out.
	Last
)

// first is whether [Options.First] has the connection. The web server does not know of
// that: it waits in [Conn.Read], takes the connection for idle, and closes idle ones when
// it shuts down. Then the answer that is under way goes first.
type first struct{ state atomic.Int32 }

const (
	withServer int32 = iota
	withFirst
	passed  // by First, and the web server has not come to it
	lost    // closed by the web server before it came to what was passed
	closing // while First had it, or for good
)

// begin takes the connection; false: the web server has closed it.
func (f *first) begin() bool { return f.state.CompareAndSwap(withServer, withFirst) }

// pass leaves the request at hand to the web server; false: it has closed the connection.
func (f *first) pass() bool { return f.state.CompareAndSwap(withFirst, passed) }

// take notes that the web server has come to the request.
func (f *first) take() { f.state.CompareAndSwap(passed, withServer) }

// end gives the connection back; false: the web server has closed it meanwhile.
func (f *first) end() bool { return f.state.CompareAndSwap(withFirst, withServer) }

// postpones reports whether the web server's Close has to wait: for First, or for the
// answer to a request that nobody would come to any more. Such a connection is closed once
// more, by the web server's goroutine that serves it.
func (f *first) postpones() bool {
	return f.state.CompareAndSwap(withFirst, closing) || f.state.CompareAndSwap(passed, lost)
}

// wasLost reports, once, whether a request was passed and nobody came to it.
func (f *first) wasLost() bool { return f.state.CompareAndSwap(lost, closing) }

// lose gives the connection up, whoever has it: Close is not postponed any more.
func (f *first) lose() { f.state.Store(closing) }

// Pass leaves the request to the web server. It is false where that has closed the
// connection meanwhile, so that it will never answer: [Options.First] must, and the
// connection ends.
func (r *Request) Pass() bool { return r.conn.first.pass() }

// Taken says that the web server has come to a request that was passed to it.
func (r *Request) Taken() { r.conn.first.take() }

// IsLast reports whether the browser wants the connection to end behind the answer.
func (r *Request) IsLast() bool {
	h := &r.head
	return h.Close || h.Minor == 0 && !h.KeepAlive
}

// offer lets [Options.First] have the request at hand; c.out is empty where it answered.
func offer(c *Conn) error {
	answers := c.options().First
	if answers == nil {
		return nil
	}
	if !c.first.begin() {
		return io.EOF
	}
	turn := Last
	defer func() {
		if turn == Last { // and after a panic
			c.first.lose()
		}
	}()
	turn = answers(c.request)
	switch turn {
	case Passed:
		return nil
	case Answered:
		c.out = nil
		if c.first.end() {
			return nil
		}
	}
	turn = Last
	return io.EOF
}

// Send writes an answer's head and body, in one system call where there is no TLS. now is
// the time. Nothing of the answer may be written before it.
func Send(c *Conn, now time.Time, head, body []byte) error {
	c.request.body.invite.withdraw()
	if err := c.writeDeadline(now); err != nil {
		return err
	}
	if len(body) == 0 {
		_, err := c.Conn.Write(head)
		return err
	}
	parts := net.Buffers{head, body}
	_, err := parts.WriteTo(c.Conn)
	return err
}
