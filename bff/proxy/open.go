package proxy

import (
	"context"
	"maps"
	"slices"
	"sync"

	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy/tunnel"
)

// Open are the streams and tunnels of one process, whatever configuration they began
// under: its end can end them, and one session cannot have too many. Its zero value
// has none.
type Open struct {
	streams registry[*streamCancel]
	tunnels registry[*tunnel.Tunnel]
	keyed   registry[*keyed] // by which a key's end reaches them
	places  places
	told    call.Pace // of lines about too many streams of a session
}

// End ends event streams between two events, and closes WebSockets with 1001. It does
// not wait.
func (o *Open) End() {
	for _, t := range o.tunnels.all() {
		t.End(tunnel.GoingAway)
	}
	for _, s := range o.streams.all() {
		s.cut()
	}
}

// Wait returns once the last WebSocket is over; each has a deadline once End was called.
func (o *Open) Wait() { o.tunnels.work.Wait() }

// registry holds what is open.
type registry[T comparable] struct {
	mu   sync.Mutex
	open map[T]struct{}
	work call.Work
}

func (r *registry[T]) add(x T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[T]struct{}{}
	}
	r.open[x] = struct{}{}
	r.work.Begin()
}

func (r *registry[T]) remove(x T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.open[x]; there {
		delete(r.open, x)
		r.work.End()
	}
}

func (r *registry[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.open))
}

// places counts what stays open for long, WebSockets and event streams, by session and
// API: each holds a connection to the API, and one person must not hold them all.
type places struct {
	mu    sync.Mutex
	taken map[place]int
}

type place struct{ upstream, session string }

// take takes a place; false: the session has most of them already.
func (p *places) take(at place, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[at] >= most {
		return false
	}
	if p.taken == nil {
		p.taken = map[place]int{}
	}
	p.taken[at]++
	return true
}

func (p *places) giveBack(at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[at]--; p.taken[at] == 0 {
		delete(p.taken, at)
	}
}

// takePlace takes a place for a WebSocket or an event stream; [roundTrip.giveBack]
// gives it back, unless a tunnel took it over. A call takes one only, also where a
// handshake is answered by events. Where nobody is signed in, nothing is counted.
func (x staying) takePlace() error {
	owner := x.owner()
	if owner == "" || x.leave != nil {
		return nil
	}
	open, at := x.proxy.open, place{x.call.Route().Upstream, owner}
	if !open.places.take(at, x.target.streams) {
		tooMany(x.roundTrip)
		return problem.TooManyStreams.Because("streams_per_session is reached")
	}
	x.leave = func() { open.places.giveBack(at) }
	return nil
}

// tooMany counts a refusal, and logs one a second at most.
func tooMany(x *roundTrip) {
	c, e := x.call, x.proxy.events
	e.Metrics.Event(c.Frontend().Name, "stream", "too_many")
	if !x.proxy.open.told.IsDue(c.Record.Begun, call.EventInterval) {
		return
	}
	e.Log.InfoContext(context.Background(), "security", "event", "stream", "outcome", "too_many", "request_id", string(c.ID),
		"frontend", c.Frontend().Name, "address", c.Request.Client.String(), "session", c.Record.Session)
}
