package session

import (
	"sync/atomic"
	"time"
)

// localClock is the machine's clock, read once and then advanced by the
// monotonic one: setting the wall clock does not move it.
type localClock struct {
	now   func() time.Time
	start time.Time
}

func newLocalClock(now func() time.Time) localClock {
	if now == nil {
		now = time.Now
	}
	return localClock{now: now, start: now()}
}

// elapsed is the time since the start.
func (c *localClock) elapsed() time.Duration { return c.now().Sub(c.start) }

func (c *localClock) wall() time.Time { return c.start.Round(0).Add(c.elapsed()) }

// storeClock is the store's clock: the local one and the measured distance. A
// machine whose clock is hours off ends no session early.
type storeClock struct {
	localClock
	offset   atomic.Int64 // store − local, in nanoseconds
	measured atomic.Int64 // elapsed at the last measurement; 0 = never
}

// A measurement is off by half of what the question took at most, so slow ones
// count only while nothing better is known.
const (
	clockGoodTrip = 100 * time.Millisecond
	clockStale    = time.Minute
)

func (c *storeClock) known() bool { return c.measured.Load() != 0 }

// measure takes in that the store said told between two readings of elapsed.
func (c *storeClock) measure(before, after time.Duration, told time.Time) {
	last := time.Duration(c.measured.Load())
	if last != 0 && after-before > clockGoodTrip && after-last < clockStale {
		return
	}
	here := c.start.Round(0).Add((before + after) / 2)
	c.offset.Store(int64(told.Sub(here)))
	c.measured.Store(int64(max(after, 1)))
}

// at converts a reading of elapsed into the store's time.
func (c *storeClock) at(elapsed time.Duration) time.Time {
	return c.start.Round(0).Add(elapsed + time.Duration(c.offset.Load()))
}
