package server

import (
	"context"
	"sync"
	"time"
)

// crowd counts what stays open for long, WebSockets and event streams, by session and
// API: each holds a connection to the API, and one person must not hold them all.
type crowd struct {
	mu   sync.Mutex
	open map[crowdKey]int
}

type crowdKey struct{ upstream, session string }

// enter takes a place; false: the session has most of them already.
func (c *crowd) enter(k crowdKey, most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[k] >= most {
		return false
	}
	if c.open == nil {
		c.open = map[crowdKey]int{}
	}
	c.open[k]++
	return true
}

func (c *crowd) leave(k crowdKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[k]--; c.open[k] == 0 {
		delete(c.open, k)
	}
}

// crowdRetry is what Retry-After says where a session has too many streams.
const crowdRetry = 5 * time.Second

// enterCrowd takes a place for a WebSocket or an event stream; [exchange.release] gives
// it back, unless the tunnel took it over. Where nobody is signed in, nothing is counted.
func (s *Server) enterCrowd(x *exchange) error {
	if x.session == nil {
		return nil
	}
	k := crowdKey{x.route.config.Upstream, x.session.ID}
	if !s.crowd.enter(k, x.route.streams) {
		s.tooMany(x)
		return errTooManyStreams
	}
	x.leave = func() { s.crowd.leave(k) }
	return nil
}

// tooMany counts a refusal, and logs one a second at most.
func (s *Server) tooMany(x *exchange) {
	s.metrics.Event(x.frontend.name, "stream", "too_many")
	now, last := x.begun.UnixNano(), s.crowded.Load()
	if now-last < int64(guardEvery) || !s.crowded.CompareAndSwap(last, now) {
		return
	}
	s.log.InfoContext(context.Background(), "security", "event", "stream", "outcome", "too_many", "request_id", string(x.requestID),
		"frontend", x.frontend.name, "address", x.client.String(), "session", x.session.LogID)
}
