package server

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"coatcheck/bff/session"
)

// eventPatience is how long the end of an event under way is waited for before a stream
// is cut all the same.
const eventPatience = 700 * time.Millisecond

// lastWrite is how long a browser has to read the last of a stream that is cut. One
// that does not read is left then; with eventPatience it makes less than a second.
const lastWrite = 250 * time.Millisecond

// tether ties a stream to what can end it before the API does: its session, here or
// on another replica, and for events the end of this process. A stream of events is
// cut between two of them, so that a page never acts on half of one; any other at once.
type tether struct {
	mu      sync.Mutex
	abort   func()              // nil: the stream is over
	hurry   func(time.Duration) // bounds what is still to be written; nil: nothing is
	contain func()              // deferred on goroutines of its own
	events  *events
	ending  bool // waits for the end of an event
}

// cut ends the stream soon, and does not block.
func (t *tether) cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.events == nil || t.events.between():
		t.now()
	case !t.ending:
		t.ending = true
		time.AfterFunc(eventPatience, func() {
			defer t.contain()
			t.mu.Lock()
			defer t.mu.Unlock()
			t.now()
		})
	}
}

// now ends the stream; t.mu is held.
func (t *tether) now() {
	if t.abort == nil {
		return
	}
	t.abort()
	t.abort = nil
	if t.hurry != nil {
		t.hurry(lastWrite)
	}
}

// loose makes sure that nothing is aborted any more: the call is used again.
func (t *tether) loose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.abort = nil
}

// pass takes note of what is about to go out, and returns how much of it may.
func (t *tether) pass(p []byte) int {
	if t.events == nil {
		return len(p)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ending {
		t.events.follow(p)
		return len(p)
	}
	n := t.events.toEnd(p)
	if t.events.between() {
		t.now()
	}
	return n
}

// tie ties the answer that is about to stream. The session is looked at once more
// behind it, so that no sign-out falls between the first look and the tie.
func (x *exchange) tie(t *tether) error {
	s, stop, id := x.server, func() {}, string(x.requestID)
	t.contain = func() {
		if recover() != nil {
			s.fault(id)
		}
	}
	if t.events != nil {
		s.streams.add(t)
	}
	if x.session != nil {
		stop = s.watch(x, t.cut)
	}
	x.untie = func() {
		stop()
		s.streams.remove(t)
		t.loose()
	}
	if t.events != nil && s.draining.Load() {
		t.cut() // Shutdown may have looked before it was there
	}
	if x.session == nil {
		return nil
	}
	_, err := s.manager.Look(context.Background(), x.frontend.name, x.ticket)
	var dead session.Dead
	if errors.As(err, &dead) {
		return err
	}
	return nil // a store that is away ends no stream
}

// streams are the event streams that are open, so that a drain can end them: they
// would go on for as long as their pages.
type streams struct {
	mu   sync.Mutex
	open map[*tether]struct{}
}

func (s *streams) add(t *tether) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*tether]struct{}{}
	}
	s.open[t] = struct{}{}
}

func (s *streams) remove(t *tether) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, t)
}

func (s *streams) end() {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.open))
	s.mu.Unlock()
	for _, t := range open {
		t.cut()
	}
}
