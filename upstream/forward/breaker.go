package forward

import (
	"context"
	"errors"
	"sync"
	"time"

	"coatcheck/upstream"
)

// ErrOpen says that an API failed so often that it is left alone for a moment.
var ErrOpen = errors.New("upstream: circuit breaker is open")

const (
	// breakerFailures is how many connections in a row must fail to open.
	breakerFailures = 10
	// BreakerRest is how long an API that takes no connections is left alone.
	BreakerRest = 5 * time.Second
)

// breaker keeps calls from dialling an API that takes no connections: refused, not
// found, no handshake, or not in time. What becomes of a call on a connection that
// stands is no concern of it, so one bad path cannot close the others.
//
// After a rest one dial goes ahead; all others wait for it, which is no longer than
// their own dial would take. A nil breaker is always closed.
type breaker struct {
	changed func(open bool) // not nil; called without the lock

	mu       sync.Mutex
	failures int           // in a row
	until    time.Time     // zero: closed
	trial    chan struct{} // closed when the dial that went ahead has ended; nil: none
}

// isOpen reports whether dials are refused at the moment.
func (b *breaker) isOpen() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.until)
}

// enter asks to dial, and waits for what another dial finds out: for patience at most, or
// until the channel of end is closed. ahead says that this dial is the one that others wait
// for. After a nil error [breaker.leave] must be called.
func (b *breaker) enter(end func() <-chan struct{}, patience time.Duration) (ahead bool, err error) {
	if b == nil {
		return false, nil
	}
	var over <-chan time.Time
	for {
		ahead, trial, err := b.tryEnter()
		if trial == nil {
			return ahead, err
		}
		if over == nil {
			over = time.After(patience)
		}
		select {
		case <-trial:
		case <-over:
			return false, ErrOpen
		case <-end():
			return false, ErrAborted
		}
	}
}

// tryEnter is enter without waiting; trial is what is to be waited for.
func (b *breaker) tryEnter() (ahead bool, trial chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return false, nil, nil
	case b.trial != nil:
		return false, b.trial, nil
	case time.Now().Before(b.until):
		return false, nil, ErrOpen
	}
	b.trial = make(chan struct{})
	return true, nil, nil
}

// leave tells how a dial ended.
func (b *breaker) leave(ahead bool, err error) {
	if b == nil {
		return
	}
	b.mu.Lock()
	wasOpen := !b.until.IsZero()
	switch {
	case err == nil:
		b.failures, b.until = 0, time.Time{}
	case isNotAPIs(err):
	case ahead || !wasOpen:
		if b.failures++; ahead || b.failures >= breakerFailures {
			b.until = time.Now().Add(BreakerRest)
		}
	}
	if ahead {
		close(b.trial)
		b.trial = nil
	}
	isOpen := !b.until.IsZero()
	b.mu.Unlock()
	if isOpen != wasOpen {
		b.changed(isOpen)
	}
}

// isNotAPIs reports whether a dial failed for a reason of this side: the caller left, this
// process has nothing to dial with, or has a fault.
func isNotAPIs(err error) bool {
	return errors.Is(err, errFault) || errors.Is(err, ErrAborted) || errors.Is(err, context.Canceled) || errors.Is(err, upstream.ErrBusy)
}
