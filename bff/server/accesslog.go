package server

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
)

// logCall writes the one line of a call. Of what the browser sent it holds the path
// without its query, and the method; both passed the gate, so that no line can be
// forged. A session is named by a hash that opens nothing.
//
// The line looks as slog's JSON handler would write it. It is put together by hand,
// because slog takes four times as long, and this is the only line on the hot path.
func (s *Server) logCall(e *exchange, level slog.Level, now time.Time) {
	ctx := context.Background()
	s.warnForwarded(ctx, &e.call)
	if s.access == nil || !s.log.Enabled(ctx, level) {
		return
	}
	line := lines.Get().(*[]byte)
	*line = appendLine((*line)[:0], &e.call, level, now)
	e.logged = true              // also where the log itself has a fault: half of the line may be out
	_, _ = s.access.Write(*line) // a log that cannot be written stops nobody
	lines.Put(line)              // not behind a fault
}

// lines are for log lines on their way out.
var lines = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

func appendLine(b []byte, c *call.Call, level slog.Level, now time.Time) []byte {
	r := &c.Record
	b = append(b, `{"time":"`...)
	b = r.Begun.AppendFormat(b, time.RFC3339Nano)
	b = append(append(b, `","level":"`...), level.String()...)
	b = append(b, `","msg":"call"`...)
	b = appendText(b, "request_id", c.ID)
	b = appendText(b, "method", c.Request.Head.Method)
	b = appendText(b, "path", loggedPath(c.Request.Head))
	b = appendNumber(b, "status", int64(r.Status))
	b = appendMillis(b, "duration_ms", now.Sub(r.Begun))
	b = appendNumber(b, "bytes_in", c.In.BodyRead())
	b = appendNumber(b, "bytes_out", r.BytesOut)
	b = append(b, `,"address":"`...)
	b = append(c.Request.Client.AppendTo(b), '"')
	if f := c.Frontend(); f != nil {
		b = appendText(b, "frontend", f.Name)
	}
	if route := c.Route(); route != nil {
		b = appendText(b, "route", route.Prefix)
		b = appendMillis(b, "upstream_ms", r.Upstream)
	}
	if r.Session != "" {
		b = appendText(b, "session", r.Session)
	}
	if p := &c.Program; p.Name != "" {
		b = appendText(b, "caller", p.Name)
		b = appendText(b, "proof", p.Proof)
		if p.Key != "" {
			b = appendText(b, "key", p.Key)
		}
	}
	if c.Span != nil {
		b = appendText(b, "trace_id", c.Span.TraceID())
	}
	if r.Code != "" {
		b = appendText(b, "code", r.Code)
	}
	if tellsWhy(r) {
		b = appendText(b, "error", r.Cause.Error())
	}
	return append(b, '}', '\n')
}

// tellsWhy reports whether the line has the error's text: what went wrong here or at the
// API, what broke off, and of a refusal which of the causes that its code may have. One that
// is nothing but a [problem.Problem] has no more to say than its code.
func tellsWhy(r *call.Record) bool {
	if r.Cause == nil {
		return false
	}
	_, plain := r.Cause.(*problem.Problem)
	refused := r.Status >= 400 && r.Status != problem.BrowserLeft.Status
	return r.Status >= 500 || r.BeganAfter > 0 || !plain && (refused || r.Explained)
}

// loggedPath is the path as it came, also where it was refused; cut where it is long.
func loggedPath(h *http1.Head) []byte {
	path, _, _ := bytes.Cut(h.Target, []byte{'?'})
	return path[:min(len(path), 1024)]
}

// appendText appends a member whose value is text. Control bytes, and bytes that are
// not ASCII, become "?": none can come from the gate, and no line may be forged.
func appendText[T string | []byte](b []byte, name string, value T) []byte {
	b = append(append(append(b, ',', '"'), name...), '"', ':', '"')
	for i := range len(value) {
		switch c := value[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '?')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func appendNumber(b []byte, name string, n int64) []byte {
	b = append(append(append(b, ',', '"'), name...), '"', ':')
	return strconv.AppendInt(b, n, 10)
}

// appendMillis appends a duration in milliseconds, to the microsecond.
func appendMillis(b []byte, name string, d time.Duration) []byte {
	b = appendNumber(b, name, d.Milliseconds())
	micros := d.Microseconds() % 1000
	return append(b, '.', byte('0'+micros/100), byte('0'+micros/10%10), byte('0'+micros%10))
}

// guardRefused counts a call that was not made by the frontend's own pages, and logs it
// as an event, once a second at most. Before a frontend is known only a foreign origin
// is such a refusal.
func (s *Server) guardRefused(c *call.Call, p *problem.Problem) {
	name := ""
	switch f := c.Frontend(); {
	case f != nil:
		name = f.Name
	case p != problem.OriginNotAllowed:
		return
	}
	s.metrics.Guard(name, p.Code)
	if !s.guarded.IsDue(c.Record.Begun, call.EventInterval) {
		return
	}
	s.log.InfoContext(context.Background(), "security", "event", "guard", "outcome", p.Code, "request_id", string(c.ID),
		"frontend", name, "address", c.Request.Client.String())
}

// logRefusal is the line of a request that the gate answered.
func (s *Server) logRefusal(r gate.Refusal) {
	s.metrics.Malformed(r.Code)
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "refused", slog.Int("status", r.Status), slog.String("code", r.Code),
		slog.String("address", r.Peer.Addr().String()), slog.String("error", r.Cause.Error()))
}

// logFailing is the line of connections that cannot be taken in, once a second.
func (s *Server) logFailing(err error) {
	if now, last := time.Now().Unix(), s.failing.Load(); now != last && s.failing.CompareAndSwap(last, now) {
		s.log.Error("connections cannot be taken in", "error", err)
	}
}

// warnInterval is how often a stranger's X-Forwarded-For is warned of.
const warnInterval = 60 // seconds

// warnForwarded tells the operator, once a minute, that a reverse proxy is not in
// trusted_proxies, or that somebody plays one.
func (s *Server) warnForwarded(ctx context.Context, c *call.Call) {
	if c.Request.Trusted {
		return
	}
	if _, n := c.Request.Head.Get("x-forwarded-for"); n == 0 {
		return
	}
	now, last := c.Record.Begun.Unix(), s.warned.Load()
	if now-last >= warnInterval && s.warned.CompareAndSwap(last, now) {
		s.log.WarnContext(ctx, "X-Forwarded-For from a peer that is not in trusted_proxies", "peer", c.Request.Peer.String())
	}
}
