package forward

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"coatcheck/upstream"
)

// What a [Forwarder] does where its options say nothing.
const (
	defaultMaxConns  = 1024
	defaultMaxIdle   = 256
	defaultHeadLimit = 64 << 10

	// Four seconds are below the shortest keep-alive in wide use (Node, Apache
	// and uvicorn: 5 s), so a connection is given up before such an API closes it
	// under a request that may not be sent twice.
	defaultIdleTimeout = 4 * time.Second
)

// A Forwarder carries calls to one API: the data plane. It is a small, strict
// HTTP/1.1 client (RFC 9112) for exactly this job, with a pool of its own.
//
// What it promises, because its connections are shared by different people:
//
//   - A connection goes back to the pool only behind a response that was complete,
//     framed beyond doubt, and with nothing unread behind it. It is looked at again
//     before it is used: one byte waiting there, or its end, and it is dropped.
//     After a response that has no body by rule (HEAD, 204, 304) it rests for a
//     moment first, since an API that sends a body all the same sends it then.
//   - Anything odd is [upstream.ErrInvalid] and the end of that connection: two lengths, a
//     length beside a coding, a coding but chunked, folded lines, bare line feeds,
//     control bytes, a status outside 100-599, a 101 that nobody asked for. Bytes
//     behind a complete response end the connection; the response itself, framed
//     beyond doubt, is delivered. Other 1xx responses are skipped, ten at most.
//   - A body that breaks off is an error, never an end. One without length ends
//     with the connection's orderly end (TLS: close_notify) and with nothing else.
//   - A call is sent once. Only where a pooled connection turned out dead before
//     any byte of a response, and the call is idempotent with no body or one in
//     memory, is it sent again, once, over a new connection.
//   - Memory is bounded: bodies stream through fixed buffers, heads have a limit,
//     connections too.
//
// A Forwarder is safe for concurrent use.
type Forwarder struct {
	dialer    *upstream.Dialer
	pool      connPool
	via       *absolute
	breaker   *breaker // nil: none
	headLimit int
	dialled   atomic.Uint64 // connections opened
	retried   atomic.Uint64 // calls sent again, because a kept connection was dead
	stale     atomic.Uint64 // kept connections that were found dead before use
	busy      atomic.Uint64 // calls that found no connection free
}

// Stats is what a forwarder counted since it was made, and its pool now.
type Stats struct {
	// Open and Idle are connections, Waiting is calls that wait for one.
	Open, Idle, Waiting int
	// Dialled counts connections opened, Retried calls sent again because a kept connection
	// was dead, Stale kept connections found dead before use, Busy calls that found no
	// connection free.
	Dialled, Retried, Stale, Busy uint64
}

// Stats returns what has been counted, for metrics.
func (f *Forwarder) Stats() Stats {
	open, idle := f.pool.count()
	return Stats{Open: open, Idle: idle, Waiting: f.pool.waiters(), Dialled: f.dialled.Load(), Retried: f.retried.Load(), Stale: f.stale.Load(), Busy: f.busy.Load()}
}

// Options say how the API is reached. Zero values are the defaults named.
type Options struct {
	// Dialer opens connections to the API; it is required. Its Timeout bounds also, by
	// itself, how long a call waits for a place in the pool.
	Dialer *upstream.Dialer
	// Origin is the API's scheme and authority, which a proxy gets where the Dialer has
	// one for plain HTTP.
	Origin string
	// MaxConns bounds open connections, tunnels included. 1024.
	MaxConns int
	// MaxIdle bounds those that are kept unused. 256.
	MaxIdle int
	// IdleTimeout is how long they are kept. 4 s, below the 5 s of Node and Apache.
	IdleTimeout time.Duration
	// OwnerOnly says that a kept connection carries calls of the same Call.Owner only.
	// What an API says unasked, and too late to be noticed, then reaches nobody else.
	OwnerOnly bool
	// HeaderLimit bounds a response's head in bytes. 64 KiB.
	HeaderLimit int
}

// New makes a forwarder; it does not dial yet.
func New(o Options) (*Forwarder, error) {
	if o.Dialer == nil {
		return nil, errors.New("forwarder: no dialer")
	}
	f := &Forwarder{dialer: o.Dialer, via: absoluteFor(o.Dialer, o.Origin), headLimit: orInt(o.HeaderLimit, defaultHeadLimit)}
	f.pool.init(orInt(o.MaxConns, defaultMaxConns), orInt(o.MaxIdle, defaultMaxIdle),
		orDuration(o.IdleTimeout, defaultIdleTimeout), o.OwnerOnly)
	return f, nil
}

func orInt(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}

func orDuration(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}

// Close closes what is idle, now and from now on. Calls at work finish.
func (f *Forwarder) Close() { f.pool.close() }

// Do sends call and reads the head of its response into ans. After a nil error ans
// must be closed; after an error there is nothing to close and call's body is no
// longer touched.
//
// Errors are [upstream.ErrUnreachable], [upstream.ErrTimeout], [upstream.ErrInvalid], [ErrAborted], [upstream.ErrBusy], or,
// wrapped, what call.Body returned.
func (f *Forwarder) Do(call *Call, ans *Response) error {
	err := f.do(call, ans)
	call.sent()
	return err
}

func (f *Forwarder) do(call *Call, ans *Response) error {
	ans.reset(call)
	call.via = f.via
	now := call.Now
	if now.IsZero() {
		now = time.Now()
	}
	c, err := f.connection(call, &now)
	if err != nil {
		return call.classify(err)
	}
	if err = f.exchange(c, call, ans, now); err == nil {
		ans.Came = time.Now()
		return nil
	}
	if !mayRepeat(c, call) || ans.begun(err) || isTimeout(err) {
		return f.giveUp(call, ans, err)
	}
	ans.reset(call)
	if c, err = f.renew(c, call); err != nil {
		return call.classify(err)
	}
	f.retried.Add(1)
	if err = f.exchange(c, call, ans, time.Now()); err != nil {
		return f.giveUp(call, ans, err)
	}
	ans.Came = time.Now()
	return nil
}

// mayRepeat reports whether a call may be sent again where c turns out to be dead.
func mayRepeat(c *conn, call *Call) bool { return c.reused && call.repeatable() }

// connection takes an idle connection, or opens one; now is the time, before and after.
func (f *Forwarder) connection(call *Call, now *time.Time) (*conn, error) {
	for {
		c := f.pool.reuse(*now, call.Owner)
		if c == nil {
			c, err := f.open(call)
			*now = time.Now()
			return c, err
		}
		if c.stale() {
			f.stale.Add(1)
			f.pool.drop(c)
			continue
		}
		c.reused = true
		if !call.attach(c) {
			f.pool.drop(c)
			return nil, ErrAborted
		}
		return c, nil
	}
}

// open waits for a place in the pool and fills it with a new connection, unless
// one comes back while it waits.
func (f *Forwarder) open(call *Call) (*conn, error) {
	if f.breaker.isOpen() {
		return nil, ErrOpen // no need to wait for a place
	}
	c := &conn{owner: call.Owner}
	if !call.attach(c) {
		return nil, ErrAborted
	}
	old, err := f.pool.reserve(c, f.dialer.Timeout)
	if err != nil {
		call.detach(c)
		return nil, f.countBusy(err)
	}
	if old == nil {
		return f.dial(c, call)
	}
	if old.stale() {
		f.stale.Add(1)
		old.kill() // its place is ours
		old.reader.Reset(nil)
		return f.dial(c, call)
	}
	old.reused = true
	if call.detach(c) && call.attach(old) {
		return old, nil
	}
	f.pool.put(old, false, time.Now()) // it was not touched
	return nil, ErrAborted
}

// renew puts a new connection into the place of one that was dead.
func (f *Forwarder) renew(dead *conn, call *Call) (*conn, error) {
	dead.kill()
	dead.reader.Reset(nil)
	c := &conn{owner: call.Owner}
	if call.detach(dead) && call.attach(c) {
		return f.dial(c, call)
	}
	f.pool.drop(c)
	return nil, ErrAborted
}

// dial opens c, which has a place in the pool, if the breaker lets it.
func (f *Forwarder) dial(c *conn, call *Call) (*conn, error) {
	ahead, err := f.breaker.enter(c.end, f.dialer.Timeout)
	if err == nil {
		f.dialled.Add(1)
		err = f.connectApart(c, call)
		f.breaker.leave(ahead, err)
	}
	if err != nil {
		call.detach(c)
		f.pool.drop(c)
		return nil, f.countBusy(err)
	}
	return c, nil
}

func (f *Forwarder) countBusy(err error) error {
	if errors.Is(err, upstream.ErrBusy) {
		f.busy.Add(1)
	}
	return err
}

// exchange sends the request and reads the head of the response. One deadline covers both
// on the way of a small call.
func (f *Forwarder) exchange(c *conn, call *Call, ans *Response, now time.Time) error {
	ans.conn, ans.f = c, f
	if call.streams() {
		return f.exchangeStream(c, call, ans)
	}
	if err := c.deadline(now, orDuration(call.HeaderTimeout, defaultHeaderTimeout)); err != nil {
		return err
	}
	sendErr := call.send(c.net)
	if !mayRepeat(c, call) {
		call.sent() // the wait may be long
	}
	if sendErr == nil {
		// The response is not there yet. Reading at once would be a system call for nothing
		// and a turn through the poller; on a busy core others can go on meanwhile, and
		// then the first read succeeds. A core with nothing else to do comes straight back.
		runtime.Gosched()
	} else {
		// The API may have said why before it stopped listening. Nothing comes between this
		// and the read: a time that is over hides what has been waiting for long.
		_ = c.net.SetReadDeadline(time.Now().Add(lastWords))
	}
	if err := ans.readHead(f.headLimit); err != nil {
		return errors.Join(err, sendErr)
	}
	ans.reusable = ans.reusable && sendErr == nil
	return ans.inHand()
}

// errSilent is an [upstream.ErrTimeout] without a byte of a response.
var errSilent = fmt.Errorf("%w: not a byte came", upstream.ErrTimeout)

// giveUp ends an exchange that failed with err, and says why.
func (f *Forwarder) giveUp(call *Call, ans *Response, err error) error {
	silent := !ans.begun(err)
	ans.reusable = false
	_ = ans.Close()
	if err = call.classify(err); err == upstream.ErrTimeout && silent {
		err = errSilent
	}
	return err
}

// isTimeout reports whether a deadline passed.
func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
