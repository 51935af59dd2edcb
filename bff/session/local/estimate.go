package local

import (
	"sync"
	"time"
)

// estimateKept is how long an estimate is used again before anybody asks for the next.
const estimateKept = 10 * time.Second

// Estimate keeps the last answer to a question that is dear, so that those who look often
// ask rarely. Its zero value has none.
type Estimate struct {
	mu    sync.Mutex
	value int
	err   error
	at    time.Duration // reading of the local clock
	asked bool          // there is one

	asking bool // somebody asks for the next
}

// Begin returns the last answer; false tells the caller to ask, and then to call
// [Estimate.Finish].
func (e *Estimate) Begin(now time.Duration) (int, error, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asked && (e.asking || now-e.at < estimateKept) {
		return e.value, e.err, true
	}
	e.asking = true
	return 0, nil, false
}

// Finish keeps an answer, unless the caller left meanwhile: others need not hear of that.
func (e *Estimate) Finish(value int, err error, now time.Duration, stayed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asking = false; stayed {
		e.value, e.err, e.at, e.asked = value, err, now, true
	}
}
