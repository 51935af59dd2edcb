package call

import (
	"context"
	"log/slog"
	"time"

	"coatcheck/bff/metrics"
)

// EventInterval is how often, at most, an event that strangers can cause at will has a
// line of its own, besides that of its call: a flood of such calls must not be two
// floods of lines. All are counted.
const EventInterval = time.Second

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
