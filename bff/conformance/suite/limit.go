package suite

import (
	"fmt"
	"time"

	"coatcheck/bff/conformance/world"
)

// Limit is the time that the cases of one subject may take together.
type Limit struct {
	of   time.Duration
	ends time.Time
}

// NewLimit is a limit that begins now.
func NewLimit(of time.Duration) Limit { return Limit{of, time.Now().Add(of)} }

// String names the limit.
func (l Limit) String() string { return "the limit of " + l.of.String() }

// Over is told when the time is up.
func (l Limit) Over() <-chan time.Time { return time.After(time.Until(l.ends)) }

// RunWithin is [Run] while there is time. A case that does not end by then is left behind
// as it stands, undecided, and so is every one after it.
func RunWithin(l Limit, w *world.World, s *Subject, c Case) Result {
	late := Result{Case: c, ID: c.ID, Verdict: Undecided, Reason: fmt.Sprintf("not reached within %v for one subject", l)}
	if !time.Now().Before(l.ends) {
		return late
	}
	done := make(chan Result, 1)
	go func() { done <- Run(w, s, c) }() // ends with the case, or with the program
	select {
	case r := <-done:
		return r
	case <-l.Over():
		late.Reason = fmt.Sprintf("it did not end within %v for one subject", l)
		return late
	}
}
