package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
)

// eventPatience is how long the end of an event under way is waited for before a stream
// is cut all the same.
const eventPatience = 700 * time.Millisecond

// lastWrite is how long a browser has to read the last of a stream that is cut. One
// that does not read is left then; with eventPatience it makes less than a second.
const lastWrite = 250 * time.Millisecond

// streamCancel ends a stream before the API does: when its session ends, here or on
// another replica, and for events at the end of this process. A stream of events is
// cut between two of them, so that a page never acts on half of one; any other at once.
type streamCancel struct {
	mu        sync.Mutex
	abort     func()              // nil: the stream is over
	hurry     func(time.Duration) // bounds what is still to be written; nil: nothing is
	faults    call.Events
	requestID string
	events    *events
	ending    bool // waits for the end of an event
}

// cut ends the stream soon, and does not block.
func (s *streamCancel) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.events == nil || s.events.between():
		s.now()
	case !s.ending:
		s.ending = true
		time.AfterFunc(eventPatience, func() {
			defer s.faults.Contain(s.requestID)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.now()
		})
	}
}

// now ends the stream; s.mu is held.
func (s *streamCancel) now() {
	if s.abort == nil {
		return
	}
	s.abort()
	s.abort = nil
	if s.hurry != nil {
		s.hurry(lastWrite)
	}
}

// isCut reports whether the stream was ended here.
func (s *streamCancel) isCut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abort == nil
}

// disarm makes sure that nothing is aborted any more: the call is used again.
func (s *streamCancel) disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abort = nil
}

// pass takes note of what is about to go out, and returns how much of it may.
func (s *streamCancel) pass(p []byte) int {
	if s.events == nil {
		return len(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		s.events.follow(p)
		return len(p)
	}
	n := s.events.toEnd(p)
	if s.events.between() {
		s.now()
	}
	return n
}

// staying is a round trip that may stay open: a stream, or a WebSocket. It ends when the
// session does, or what proved the call.
type staying struct{ *roundTrip }

// track ties the answer that is about to stream to its session. The session is looked
// at once more behind it, so that no sign-out falls between the first look and this.
func (x staying) track(s *streamCancel) error {
	p, stop, forget := x.proxy, func() {}, func() {}
	s.faults, s.requestID = p.events, string(x.call.ID)
	x.untrack = func() { // from here on, whatever of the following was done
		defer s.disarm()
		defer p.open.streams.remove(s)
		defer func() { stop() }()
		forget()
	}
	if s.events != nil {
		p.open.streams.add(s)
	}
	if x.who.Session != nil {
		stop = x.watch(s.cut)
	}
	var alive func() bool
	forget, alive = x.watchProof(s.cut)
	if s.events != nil && p.draining.Load() {
		s.cut() // Open.End may have looked before it was there
	}
	if !alive() {
		return problem.CallerUnknown.Because("the proof ended meanwhile")
	}
	if x.who.Session == nil {
		return nil
	}
	_, err := p.manager.Peek(context.Background(), x.call.Frontend().Name, x.who.Ticket(x.call))
	var ended session.EndedError
	if errors.As(err, &ended) {
		return err
	}
	return nil // a store that is away ends no stream
}

// watch calls ended when the session of the call ends. That happens on goroutines of
// the manager, which a fault here must not end.
func (x staying) watch(ended func()) (stop func()) {
	events, id := x.proxy.events, string(x.call.ID)
	return x.proxy.manager.Watch(x.who.Ticket(x.call), func(session.Reason) {
		defer events.Contain(id)
		ended()
	})
}
