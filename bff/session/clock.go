package session

import (
	"sync/atomic"
	"time"

	"coatcheck/bff/session/store"
)

// storeClock is the store's clock: the local one and the measured distance. A
// machine whose clock is hours off ends no session early.
type storeClock struct {
	store.LocalClock
	offset   atomic.Int64 // store − local, in nanoseconds
	measured atomic.Int64 // elapsed at the last measurement; 0 = never
}

// A measurement is off by at most half of what the question took, so slow ones
// count only while nothing better is known.
const (
	clockGoodTrip = 100 * time.Millisecond
	clockStale    = time.Minute
)

func (c *storeClock) isKnown() bool { return c.measured.Load() != 0 }

// measure notes the time that the store gave between two readings of Elapsed.
func (c *storeClock) measure(before, after time.Duration, given time.Time) {
	last := time.Duration(c.measured.Load())
	if last != 0 && after-before > clockGoodTrip && after-last < clockStale {
		return
	}
	here := c.Started().Add((before + after) / 2)
	c.offset.Store(int64(given.Sub(here)))
	c.measured.Store(int64(max(after, 1)))
}

// at converts a reading of Elapsed into the store's time.
func (c *storeClock) at(elapsed time.Duration) time.Time {
	return c.Started().Add(elapsed + time.Duration(c.offset.Load()))
}

func (c *storeClock) now() time.Time { return c.at(c.Elapsed()) }
