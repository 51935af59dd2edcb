package forward

import (
	"context"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"coatcheck/bff/relay"
)

// opening is a connection that a call needs.
type opening struct {
	f    *Forwarder
	c    *conn
	call *Call
	end  *result
}

type result struct {
	sync.WaitGroup
	err error
}

// openings are for openers that rest.
var openings = make(chan opening)

// connectApart opens c from another goroutine, and waits for it. Nothing else of a call needs
// as much stack, and one that has grown stays large while the call waits for its API.
func (f *Forwarder) connectApart(c *conn, call *Call) error {
	w := opening{f, c, call, new(result)}
	w.end.Add(1)
	select {
	case openings <- w:
	default:
		go new(opener).run(w) // ends when no more come; each has its timeout
	}
	w.end.Wait()
	return w.end.err
}

// opener opens connections for one call after another, so that many that come at once share
// few stacks. Its context, too, serves for one after another as long as none of them is cut
// short: one for each would be the largest part of what opening leaves to the garbage collector.
type opener struct {
	ctx   context.Context // nil: none that is still good
	end   context.CancelCauseFunc
	timer *time.Timer // ends ctx when the time is up
}

// openerRest is how long an opener waits for another connection.
const openerRest = 100 * time.Millisecond

func (o *opener) run(w opening) {
	rest := time.NewTimer(openerRest)
	defer rest.Stop()
	for {
		o.open(w)
		rest.Reset(openerRest)
		select {
		case w = <-openings:
		case <-rest.C:
			o.forget()
			return
		}
	}
}

// open opens one connection, whatever becomes of it.
func (o *opener) open(w opening) {
	w.end.err = errFault
	defer w.end.Done()
	defer func() {
		if recover() == nil {
			return
		}
		o.forget()
		if w.call.Faulted != nil {
			w.call.Faulted(debug.Stack())
		}
	}()
	w.end.err = o.connect(w.f, w.c)
}

// connect opens c.
func (o *opener) connect(f *Forwarder, c *conn) error {
	ctx := o.begin(f.dialer.Timeout)
	defer o.finish()
	if err := c.opens(o.end); err != nil {
		return err
	}
	defer c.opened() // before finish: nobody ends the context of the next one
	opened, err := f.dialer.DialUntil(ctx, c.own)
	if err != nil {
		return err
	}
	c.net = opened
	if c.raw = relay.Socket(c.net); c.raw != nil {
		c.plain = true
	} else if sc, ok := c.socket.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.watch()
	c.reader.Reset(c.net)
	return nil
}

// begin returns the context of the next connection, which ends after timeout.
func (o *opener) begin(timeout time.Duration) context.Context {
	if o.ctx == nil {
		ctx, end := context.WithCancelCause(context.Background())
		o.ctx, o.end = ctx, end
		o.timer = time.AfterFunc(timeout, func() { end(context.DeadlineExceeded) })
	} else {
		o.timer.Reset(timeout)
	}
	return &bounded{o.ctx, time.Now().Add(timeout)}
}

// finish keeps the context for the next connection, unless it ended or is about to.
func (o *opener) finish() {
	if o.ctx != nil && (!o.timer.Stop() || o.ctx.Err() != nil) {
		o.forget()
	}
}

// forget ends the context. What it was for has returned.
func (o *opener) forget() {
	if o.ctx != nil {
		o.timer.Stop()
		o.end(context.Canceled)
		o.ctx = nil
	}
}

// bounded is a context that ends for a reason, at the latest at its deadline, which tells
// the dialer how long to try one address of several.
type bounded struct {
	context.Context
	by time.Time
}

// Deadline implements [context.Context].
func (b *bounded) Deadline() (time.Time, bool) { return b.by, true }

// Err implements [context.Context].
func (b *bounded) Err() error {
	if b.Context.Err() == nil {
		return nil
	}
	return context.Cause(b.Context)
}
