package store

import (
	"sync/atomic"
	"time"
)

// SharedClock is the store's clock: the local one and the measured distance. A
// machine whose clock is hours off ends no session early.
type SharedClock struct {
	LocalClock
	offset   atomic.Int64 // store − local, in nanoseconds
	measured atomic.Int64 // elapsed at the last measurement; 0 = never
}

// A measurement is off by at most half of what the question took, so slow ones
// count only while nothing better is known.
const (
	clockGoodTrip = 100 * time.Millisecond
	clockStale    = time.Minute
)

// IsKnown reports whether the distance was ever measured.
func (c *SharedClock) IsKnown() bool { return c.measured.Load() != 0 }

// Measure notes the time that the store gave between two readings of Elapsed.
func (c *SharedClock) Measure(before, after time.Duration, given time.Time) {
	last := time.Duration(c.measured.Load())
	if last != 0 && after-before > clockGoodTrip && after-last < clockStale {
		return
	}
	here := c.Started().Add((before + after) / 2)
	c.offset.Store(int64(given.Sub(here)))
	c.measured.Store(int64(max(after, 1)))
}

// At converts a reading of Elapsed into the store's time.
func (c *SharedClock) At(elapsed time.Duration) time.Time {
	return c.Started().Add(elapsed + time.Duration(c.offset.Load()))
}

// Now is the store's time.
func (c *SharedClock) Now() time.Time { return c.At(c.Elapsed()) }
