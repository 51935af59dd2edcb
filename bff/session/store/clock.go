package store

import "time"

// LocalClock is the machine's clock, read once and then advanced by the
// monotonic one: setting the wall clock does not move it.
type LocalClock struct {
	now   func() time.Time
	start time.Time
}

// NewLocalClock starts a clock over now [time.Now].
func NewLocalClock(now func() time.Time) LocalClock {
	if now == nil {
		now = time.Now
	}
	return LocalClock{now: now, start: now()}
}

// Elapsed is the time since the start.
func (c *LocalClock) Elapsed() time.Duration { return c.now().Sub(c.start) }

// Wall is the time of day, without a monotonic reading.
func (c *LocalClock) Wall() time.Time { return c.Started().Add(c.Elapsed()) }

// Started is the time of day at the start, without a monotonic reading.
func (c *LocalClock) Started() time.Time { return c.start.Round(0) }
