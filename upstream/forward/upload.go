package forward

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/relay"
)

const (
	// portion is how much of a body is copied at a time.
	portion = 32 << 10
	// before and behind are the room that a chunk's size and its end need, and the last
	// chunk behind it.
	before = http1.BeforeChunk
	behind = http1.BehindChunk + len("0\r\n\r\n")
	// patience is how long a complete response waits for the end of its request.
	patience = 100 * time.Millisecond
)

var portions = sync.Pool{New: func() any { b := make([]byte, before+portion+behind); return &b }}

var (
	errStopped = errors.New("sending stopped")
	errFault   = errors.New("fault of the program")
)

// bodyError is what Call.Body said.
type bodyError struct{ cause error }

func (e *bodyError) Error() string { return "request body: " + e.cause.Error() }
func (e *bodyError) Unwrap() error { return e.cause }

// upload copies a request's body while the response is waited for. Its goroutine
// belongs to the Response and ends when the body does, when the connection is closed
// or by stop, at the latest when a Read of the body returns.
type upload struct {
	call *Call
	conn *conn
	done chan struct{}
	err  error // nil: all of it was sent; to be read after done

	mu       sync.Mutex // guards what follows and the deadlines that depend on it
	last     bool       // the last byte was handed to the connection
	answered bool       // the head of the response came
	stopped  bool
}

// exchangeStream is exchange for a body that has to be copied.
func (f *Forwarder) exchangeStream(c *conn, call *Call, ans *Response) error {
	c.unroll()
	idle := orDuration(call.IdleTimeout, defaultBodyIdle)
	if err := errors.Join(c.net.SetReadDeadline(time.Time{}), c.net.SetWriteDeadline(time.Now().Add(idle))); err != nil {
		return err
	}
	call.assemble()
	if _, err := c.net.Write(call.out); err != nil {
		return err
	}
	call.sent()
	u := &upload{call: call, conn: c, done: make(chan struct{})}
	ans.sending = u
	go u.run()
	err := ans.readHead(f.headLimit)
	if early := u.headCame(); early && ans.Status >= 300 && err == nil {
		u.stop() // RFC 9112 §9.5: a client that was refused stops sending
	}
	if err == nil {
		err = ans.inHand()
	}
	if err != nil {
		c.kill()
		u.stop()
		<-u.done
		var body *bodyError
		if errors.As(u.err, &body) {
			return body
		}
	}
	return err
}

// headCame notes that the head of the response came, and reports whether it came early.
func (u *upload) headCame() (early bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answered = true
	return !u.last
}

// stop ends the sending where it is: nothing completes the body. A write that is
// under way ends with the connection.
func (u *upload) stop() {
	u.mu.Lock()
	if u.stopped {
		u.mu.Unlock()
		return
	}
	u.stopped = true
	u.mu.Unlock()
	select {
	case <-u.done:
	default:
		if u.call.StopBody != nil {
			u.call.StopBody()
		}
	}
}

// end waits for the goroutine's end, if the response was complete for a moment, and
// then stops it. It reports whether the whole body was sent.
func (u *upload) end(complete bool) bool {
	select {
	case <-u.done:
		return u.err == nil
	default:
	}
	if complete {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-u.done:
			return u.err == nil
		case <-timer.C:
		}
	}
	u.conn.kill()
	u.stop()
	<-u.done
	return false
}

func (u *upload) run() {
	defer close(u.done)
	defer u.contain()
	if u.call.BodyLength < 0 {
		u.err = u.copyChunks()
	} else {
		u.err = u.copyLength()
	}
	u.finished()
}

// contain is deferred: a panic of the body's reader breaks this call off, and does not
// end the process.
func (u *upload) contain() {
	if recover() == nil {
		return
	}
	if u.call.Faulted != nil {
		u.call.Faulted(debug.Stack())
	}
	u.err = &bodyError{errFault}
	u.conn.kill()
}

// finished starts the time that the API has for its response.
func (u *upload) finished() {
	u.mu.Lock()
	defer u.mu.Unlock()
	var body *bodyError
	switch {
	case u.stopped:
		u.err = errStopped // whatever Body said: StopBody made it
	case errors.As(u.err, &body):
		u.conn.kill()
	case u.answered:
	case u.err != nil:
		// The API may have said why before it stopped listening.
		_ = u.conn.net.SetReadDeadline(time.Now().Add(lastWords))
	default:
		_ = u.conn.net.SetReadDeadline(time.Now().Add(orDuration(u.call.HeaderTimeout, defaultHeaderTimeout)))
	}
}

func (u *upload) copyLength() error {
	w := u.openWay()
	defer w.close()
	for n, left := relay.Flows, u.call.BodyLength; left > 0; {
		var p []byte
		var err error
		n, p, err = w.read(n, left)
		left -= int64(n)
		if n > 0 {
			if err := u.send(w, p, left == 0); err != nil {
				return err
			}
		}
		if err == io.EOF && left > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && left > 0 {
			return &bodyError{err}
		}
	}
	return nil
}

// copyChunks writes one chunk for each read (RFC 9112 §7.1).
func (u *upload) copyChunks() error {
	borrowed := portions.Get().(*[]byte)
	defer portions.Put(borrowed)
	for page := *borrowed; ; {
		n, err := u.call.Body.Read(page[before : before+portion])
		if err != nil && err != io.EOF {
			return &bodyError{err}
		}
		out := page[before : before+n]
		if n > 0 {
			out = http1.Chunk(page, n)
		}
		if err == io.EOF {
			return u.write(append(out, "0\r\n\r\n"...), true)
		}
		if n > 0 {
			if err := u.write(out, false); err != nil {
				return err
			}
		}
	}
}

// write sends a part of the body; last says that nothing follows.
func (u *upload) write(p []byte, last bool) error { return u.send(nil, p, last) }

// send is write, also for what w has in its pipe, where p is nil.
func (u *upload) send(w *way, p []byte, last bool) error {
	u.mu.Lock()
	if u.stopped {
		u.mu.Unlock()
		return errStopped
	}
	err := u.conn.net.SetWriteDeadline(time.Now().Add(orDuration(u.call.IdleTimeout, defaultBodyIdle)))
	u.last = last
	u.mu.Unlock()
	switch {
	case err != nil:
	case p == nil:
		err = w.pipe.Drain(u.conn.raw)
	default:
		_, err = u.conn.net.Write(p)
	}
	if err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return nil
}
