package upstream

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ErrOpen says that an API failed so often that it is left alone for a moment.
var ErrOpen = errors.New("upstream: circuit breaker is open")

// The breaker opens after so many calls in a row that brought no answer, stays open
// for BreakerRest, and then lets one call through to see.
const (
	breakerFailures = 10
	// BreakerRest is how long an API that does not answer is left alone.
	BreakerRest = 5 * time.Second
)

// Carrier is a [Forwarder] behind a circuit breaker: while an API is down, calls fail
// at once instead of each waiting for its own deadline. Only what says that nobody
// answers counts: an answer is a success whatever its status, and a browser that
// leaves or a body that breaks says nothing of the API.
type Carrier struct {
	*Forwarder
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
}

// NewCarrier makes a carrier; changed, if set, is told when the breaker opens or
// closes, and must not block.
func NewCarrier(o ForwarderOptions, changed func(open bool)) (*Carrier, error) {
	f, err := NewForwarder(o)
	if err != nil {
		return nil, err
	}
	return &Carrier{f, gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      BreakerRest,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, ErrInvalid) },
		IsExcluded:   func(err error) bool { return err != nil && !noAnswer(err) && !errors.Is(err, ErrInvalid) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if changed != nil && to != gobreaker.StateHalfOpen && from != to {
				changed(to == gobreaker.StateOpen)
			}
		},
	})}, nil
}

// CarrierStats is what a carrier counted since it was made, and how it is now.
type CarrierStats struct {
	ForwarderStats
	BreakerOpen bool
}

// Stats returns what has been counted, for metrics.
func (c *Carrier) Stats() CarrierStats {
	return CarrierStats{c.Forwarder.Stats(), c.breaker.State() == gobreaker.StateOpen}
}

func noAnswer(err error) bool { return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrTimeout) }

// Do is [Forwarder.Do]; while the breaker is open, it is [ErrOpen].
func (c *Carrier) Do(call *Call, ans *Answer) error {
	done, err := c.breaker.Allow()
	if err != nil {
		return ErrOpen
	}
	err = c.Forwarder.Do(call, ans)
	done(err)
	return err
}
