package forward

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"coatcheck/bff/http1"
)

// conn is one connection to the API, or the place of one that is being opened. It
// belongs to the pool or to one call; only kill may be called by others.
type conn struct {
	net    net.Conn // what is read and written: TCP, or TLS above it
	reader http1.Reader
	owner  string    // whose calls it carried, see Call.Owner
	since  time.Time // when it was put into the pool

	reads, whole rolled // the deadline that is set: of reads, or of a whole small call

	raw    syscall.RawConn // the socket below TLS
	look   func(fd uintptr)
	reused bool
	plain  bool // there is no TLS, and the kernel may copy from raw
	silent bool // what look saw: nothing waits there
	byte1  [1]byte
	killed bool // as all below, guarded by mu

	mu     sync.Mutex
	cancel context.CancelCauseFunc // ends its opening; nil: it is not being opened
	ended  chan struct{}           // closed by kill; nil: nobody waits for that
	socket net.Conn                // below TLS
}

// opens makes cancel what kill calls, until opened is called; it fails where c was killed
// before.
func (c *conn) opens(cancel context.CancelCauseFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return ErrAborted
	}
	c.cancel = cancel
	return nil
}

// opened says that kill must not call cancel any more: it is about to be used for others.
func (c *conn) opened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = nil
}

// end is closed once c is killed. It is for those who wait before c is opened.
func (c *conn) end() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended = make(chan struct{})
		if c.killed {
			close(c.ended)
		}
	}
	return c.ended
}

// kill ends the connection, also while it is being opened. It closes the socket
// below TLS: a close_notify could have to wait.
func (c *conn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil && !c.killed {
		close(c.ended)
	}
	c.killed = true
	if c.cancel != nil {
		c.cancel(context.Canceled)
	}
	if c.socket != nil {
		_ = c.socket.Close()
	}
}

// own makes socket what kill closes; it fails where c was killed before.
func (c *conn) own(socket net.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket = socket
	if c.killed {
		return ErrAborted
	}
	return nil
}

// deadline gives a small call d at least for all of it, and at most an eighth more:
// so a busy connection sets its deadline eight times in d and not for every call.
func (c *conn) deadline(now time.Time, d time.Duration) error {
	return rolling(now, &c.whole, &c.reads, d, c.net.SetDeadline)
}

// roll gives the next read d in the same way.
func (c *conn) roll(d time.Duration) error {
	return rolling(time.Now(), &c.reads, &c.whole, d, c.net.SetReadDeadline)
}

func rolling(now time.Time, mine, other *rolled, d time.Duration, set func(time.Time) error) error {
	if mine.by == d && now.Sub(mine.at) < d/8 {
		return nil
	}
	*mine, *other = rolled{now, d}, rolled{}
	return set(now.Add(d + d/8))
}

// unroll forgets which deadline is set: somebody sets another.
func (c *conn) unroll() { c.reads, c.whole = rolled{}, rolled{} }

// rolled is a deadline: when it was set, and how far ahead, without its eighth.
type rolled struct {
	at time.Time
	by time.Duration
}

// stale reports whether something other than silence waits on an idle connection:
// its end, or bytes that nobody asked for.
func (c *conn) stale() bool {
	if c.reader.Len() > 0 {
		return true
	}
	if c.net != c.socket && !c.quietTLS() {
		return true
	}
	return !c.quiet()
}

// quietTLS looks at what TLS has read from the socket and not yet delivered. The
// deadline has passed, so that nothing more is read.
func (c *conn) quietTLS() bool {
	c.unroll()
	if c.net.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	_, err := c.net.Read(c.byte1[:])
	return isTimeout(err)
}
