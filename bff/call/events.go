package call

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"coatcheck/bff/metrics"
)

// EventInterval is how often, at most, an event that strangers can cause at will has a
// line of its own, besides that of its call: a flood of such calls must not be two
// floods of lines. All are counted.
const EventInterval = time.Second

// Pace lets something be said once in a while, however often it happens. Its zero value
// lets the first one pass; it may be used by any number of goroutines.
type Pace struct{ last atomic.Int64 } // time since begun, in nanoseconds; 0: never

// begun is what times are counted from: the difference of two readings of one clock is not
// changed by anybody who sets it.
var begun = time.Now()

// IsDue reports whether every has passed since the last time that it said so. A clock that
// was set back silences nothing.
func (p *Pace) IsDue(now time.Time, every time.Duration) bool {
	at, last := int64(now.Sub(begun)), p.last.Load()
	if age := time.Duration(at - last); last != 0 && age >= 0 && age < every {
		return false
	}
	return p.last.CompareAndSwap(last, at)
}

// Events are where a room tells what matters for security. Both fields are required.
type Events struct {
	Log     *slog.Logger     // one line for each event
	Metrics *metrics.Metrics // counts every event
}

// Security counts one event and writes its line. kind and outcome are words of the
// closed lists in docs/logs.md; more are further attributes.
func (e Events) Security(c *Call, kind, outcome string, more ...any) {
	name := c.Frontend().Name
	e.Metrics.Event(name, kind, outcome)
	attrs := []any{"event", kind, "outcome", outcome, "request_id", string(c.ID),
		"frontend", name, "address", c.Request.Client.String()}
	if c.Record.Session != "" {
		attrs = append(attrs, "session", c.Record.Session)
	}
	e.Log.InfoContext(context.Background(), "security", append(attrs, more...)...)
}
