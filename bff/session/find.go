package session

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/session/store"
)

// Find returns the session that t opens at frontend, for a call, and extends its
// idle time; that is written at most once a minute, or once in a tenth of the
// idle timeout if that is shorter. With the session in the near cache it asks
// the store nothing else.
//
// Errors are [EndedError] (the ticket opens nothing here) and [store.ErrUnavailable] (keep
// the cookie). A failed extension is no error: it is tried again with the next
// call.
func (f *finder) Find(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	o := f.settings.Load()
	s, err := f.current(ctx, o, frontend, t)
	if err != nil {
		return nil, err
	}
	if f.now().Sub(s.seen) < o.touch || !f.touching.Begin(s.hash) {
		return s, nil
	}
	defer f.touching.End(s.hash)
	extended, err := f.touch(ctx, o, s)
	if errors.Is(err, store.ErrUnavailable) {
		return s, nil
	}
	return extended, err
}

// Peek returns the session that t opens at frontend and never extends it. Errors
// are as for [Manager.Find].
func (f *finder) Peek(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	return f.current(ctx, f.settings.Load(), frontend, t)
}

// Extend returns the session that t opens at frontend after its idle time was
// extended in the store, which it always is. Errors are as with [Manager.Find].
func (f *finder) Extend(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	o := f.settings.Load()
	s, err := f.current(ctx, o, frontend, t)
	if err != nil {
		return nil, err
	}
	return f.touch(ctx, o, s)
}

// IdleLeft is how long s lives without another call, as far as s knows: another
// replica may have extended it since. It is at least zero and never more than was
// granted, however clocks differ.
func (f *finder) IdleLeft(s *Session) time.Duration {
	o := f.settings.Load()
	idle := min(s.seen.Add(o.idle).Sub(f.now()), o.idle)
	return max(0, min(idle, f.Left(s)))
}

// Left is how long s lives at most, whatever it does. It is at least zero and never
// more than was granted.
func (f *finder) Left(s *Session) time.Duration {
	return max(0, min(s.Ends.Sub(f.now()), s.Ends.Sub(s.Created)))
}
