package forward

import (
	"context"
	"runtime/debug"
	"syscall"
	"time"

	"coatcheck/bff/relay"
)

// dials are for those who wait for one. See [dialer].
var dials = make(chan func())

// dialerRest is how long a dialer waits for another dial.
const dialerRest = 100 * time.Millisecond

// connectApart opens c from another goroutine, and waits for it. Nothing else of a call needs
// as much stack, and one that has grown stays large while the call waits for its API.
func (f *Forwarder) connectApart(ctx context.Context, c *conn, call *Call) error {
	done := make(chan error, 1)
	dial := func() {
		err := errFault
		defer func() {
			if recover() != nil && call.Faulted != nil {
				call.Faulted(debug.Stack())
			}
			done <- err
		}()
		err = f.connect(ctx, c)
	}
	select {
	case dials <- dial:
	default:
		go dialer(dial) // ends when no more dials come; each has its timeout
	}
	return <-done
}

// dialer dials for one call after another, so that many that come at once share few stacks.
func dialer(dial func()) {
	rest := time.NewTimer(dialerRest)
	defer rest.Stop()
	for {
		dial()
		rest.Reset(dialerRest)
		select {
		case dial = <-dials:
		case <-rest.C:
			return
		}
	}
}

// connect opens c.
func (f *Forwarder) connect(ctx context.Context, c *conn) error {
	opened, err := f.dialer.Dial(ctx, c.own)
	if err != nil {
		return err
	}
	c.net = opened
	if sc, ok := c.socket.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.plain = relay.Socket(c.net)
	c.watch()
	c.reader.Reset(c.net)
	return nil
}
