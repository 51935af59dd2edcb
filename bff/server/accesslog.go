package server

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"time"

	"coatcheck/bff/gate"
)

// logCall writes the one line of a call. Of what the browser sent it holds the path
// without its query, and the method; both passed the gate, so that no line can be
// forged. A session is named by a hash that opens nothing.
//
// The line looks as slog's JSON handler would write it. It is put together by hand,
// because slog takes four times as long, and this is the only line on the hot path.
func (s *Server) logCall(x *exchange, level slog.Level) {
	ctx := context.Background()
	s.warnForwarded(ctx, x)
	if s.access == nil || !s.log.Enabled(ctx, level) {
		return
	}
	x.line = x.appendLine(x.line[:0], level)
	_, _ = s.access.Write(x.line) // a log that cannot be written stops nobody
}

func (x *exchange) appendLine(b []byte, level slog.Level) []byte {
	b = append(b, `{"time":"`...)
	b = x.begun.AppendFormat(b, time.RFC3339Nano)
	b = append(append(b, `","level":"`...), level.String()...)
	b = append(b, `","msg":"call"`...)
	b = appendText(b, "request_id", x.requestID)
	b = appendText(b, "method", x.head.Method)
	b = appendText(b, "path", x.loggedPath())
	b = appendNumber(b, "status", int64(x.status))
	b = appendMillis(b, "duration_ms", time.Since(x.begun))
	b = appendNumber(b, "bytes_in", x.request.BodyRead())
	b = appendNumber(b, "bytes_out", x.bytesOut)
	b = append(b, `,"address":"`...)
	b = append(x.client.AppendTo(b), '"')
	if x.frontend != nil {
		b = appendText(b, "frontend", x.frontend.name)
	}
	if x.route != nil {
		b = appendText(b, "route", x.route.prefix)
		b = appendMillis(b, "upstream_ms", x.upstreamTime)
	}
	if x.session != nil {
		b = appendText(b, "session", x.session.LogID)
	}
	if x.span != nil {
		b = appendText(b, "trace_id", x.span.TraceID())
	}
	if x.code != "" {
		b = appendText(b, "code", x.code)
	}
	if x.tellsWhy() {
		b = appendText(b, "error", x.cause.Error())
	}
	return append(b, '}', '\n')
}

// tellsWhy reports whether the line has the error's text: what went wrong here or at the
// API, what broke off, and what was wrong with a body. A refusal that is nothing but a
// [Problem] has said it all with its code.
func (x *exchange) tellsWhy() bool {
	_, plain := x.cause.(*Problem)
	return x.cause != nil && (x.status >= 500 || x.streaming || x.status == 400 && !plain)
}

// loggedPath is the path as it came, also where it was refused; cut where it is long.
func (x *exchange) loggedPath() []byte {
	path, _, _ := bytes.Cut(x.head.Target, []byte{'?'})
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

// event is the one line of something that matters for security.
func (s *Server) event(x *exchange, kind, outcome string, more ...any) {
	s.metrics.Event(x.frontend.name, kind, outcome)
	attrs := []any{"event", kind, "outcome", outcome, "request_id", string(x.requestID),
		"frontend", x.frontend.name, "address", x.client.String()}
	if x.session != nil {
		attrs = append(attrs, "session", x.session.LogID)
	}
	s.log.InfoContext(context.Background(), "security", append(attrs, more...)...)
}

// guardEvery is how often, at most, a refusal of the guard has a line of its own, besides
// that of its call: a flood of such calls must not be two floods of lines.
const guardEvery = time.Second

// refusedByGuard counts a call that was not made by the frontend's own pages, and
// logs it as an event, once a second at most. Before a frontend is known only a
// foreign origin is such a refusal.
func (s *Server) refusedByGuard(x *exchange, code string) {
	name := ""
	switch {
	case x.frontend != nil:
		name = x.frontend.name
	case code != errOrigin.Code:
		return
	}
	s.metrics.Guard(name, code)
	now, last := x.begun.UnixNano(), s.guarded.Load()
	if now-last < int64(guardEvery) || !s.guarded.CompareAndSwap(last, now) {
		return
	}
	s.log.InfoContext(context.Background(), "security", "event", "guard", "outcome", code, "request_id", string(x.requestID),
		"frontend", name, "address", x.client.String())
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

// warnForwarded tells the operator, once a minute, that a front is not in
// trusted_proxies, or that somebody plays one.
func (s *Server) warnForwarded(ctx context.Context, x *exchange) {
	if x.trusted {
		return
	}
	if _, n := x.head.Get("x-forwarded-for"); n == 0 {
		return
	}
	now, last := x.begun.Unix(), s.warned.Load()
	if now-last >= warnInterval && s.warned.CompareAndSwap(last, now) {
		s.log.WarnContext(ctx, "X-Forwarded-For from a peer that is not in trusted_proxies", "peer", x.peer.String())
	}
}
