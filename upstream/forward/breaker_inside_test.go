package forward

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/upstream"
)

// What counts against an API, and what does not. Time is synctest's, so that a rest
// lasts exactly as long as is promised.
func TestBreakerCounts(t *testing.T) {
	failed := errors.New("refused")
	open := func(t *testing.T) *breaker {
		b := &breaker{changed: func(bool) {}}
		for range breakerFailures {
			if _, err := b.enter(t.Context().Done, time.Second); err != nil {
				t.Fatal(err)
			}
			b.leave(false, failed)
		}
		if !b.isOpen() {
			t.Fatal("closed after ten failures")
		}
		return b
	}
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		time.Sleep(BreakerRest - time.Nanosecond)
		if _, err := b.enter(t.Context().Done, time.Second); !errors.Is(err, ErrOpen) {
			t.Errorf("before the rest is over: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if ahead, err := b.enter(t.Context().Done, time.Second); !ahead || err != nil {
			t.Errorf("after the rest: %v, %v", ahead, err)
		}
		b.leave(true, failed) // one failure is enough now
		if _, err := b.enter(t.Context().Done, time.Second); !errors.Is(err, ErrOpen) {
			t.Errorf("after a failed trial: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		for range breakerFailures { // dials that began before it opened make the rest no longer
			time.Sleep(BreakerRest / 20)
			b.leave(false, failed)
		}
		time.Sleep(BreakerRest / 2)
		ahead, err := b.enter(t.Context().Done, time.Second)
		if !ahead || err != nil {
			t.Fatalf("late failures: %v, %v", ahead, err)
		}
		second := make(chan bool, 1)
		go func() { ahead, err := b.enter(t.Context().Done, time.Minute); second <- ahead && err == nil }()
		synctest.Wait()
		b.leave(true, ErrAborted) // the caller left: it is the next one's turn
		if !<-second {
			t.Error("nobody took the trial over")
		}
		begun := time.Now()
		if _, err := b.enter(t.Context().Done, time.Second); !errors.Is(err, ErrOpen) || time.Since(begun) != time.Second {
			t.Errorf("waited %v: %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.enter(ctx.Done, time.Second); !errors.Is(err, ErrAborted) {
			t.Errorf("a caller who left: %v", err)
		}
		b.leave(true, nil)
		if b.isOpen() {
			t.Error("open after a good trial")
		}
	})
	for _, ours := range []error{ErrAborted, context.Canceled, fmt.Errorf("%w: out of ports", upstream.ErrBusy), errFull} {
		b := &breaker{changed: func(bool) { t.Errorf("%v opened it", ours) }}
		for range 3 * breakerFailures {
			b.leave(false, fmt.Errorf("dial: %w", ours))
		}
	}
}
