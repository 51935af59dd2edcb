package session

import (
	"context"
	"time"

	"coatcheck/bff/session/store"
)

// Entry is one line of a person's list of sessions.
type Entry struct {
	ID        string    // the public handle of [Session.ID]; it opens nothing
	Current   bool      // set by [Manager.ListFor]
	CreatedAt time.Time // by the store's clock

	// LastSeenAt is the last extension of the idle time: a minute old at most
	// while the session is used.
	LastSeenAt time.Time

	// UserAgent is cut to 256 bytes; it and Address are as at sign-in.
	UserAgent, Address string
}

// List returns a person's sessions at frontend, the oldest first.
func (p *people) List(ctx context.Context, frontend, subject string) ([]Entry, error) {
	all, err := p.listed(ctx, p.settings.Load(), frontend, subject)
	if err != nil {
		return nil, store.Unavailable("list", err)
	}
	entries := make([]Entry, len(all))
	for i, e := range all {
		entries[i] = e.Entry
	}
	return entries, nil
}

// ListFor is [Manager.List] for the person of s, with s marked as current. If
// the index had lost s, it is put back first.
func (p *people) ListFor(ctx context.Context, s *Session) ([]Entry, error) {
	entries, err := p.List(ctx, s.Frontend, s.Subject)
	if err != nil || mark(entries, s.ID) {
		return entries, err
	}
	p.indexAgain(ctx, p.settings.Load(), s)
	entries, err = p.List(ctx, s.Frontend, s.Subject)
	mark(entries, s.ID)
	return entries, err
}

func mark(entries []Entry, id string) bool {
	for i := range entries {
		if entries[i].ID == id {
			entries[i].Current = true
			return true
		}
	}
	return false
}

// EndOne revokes the session of this person at frontend that the list shows as
// id. Another person's, or none, is [ErrNotFound].
func (p *people) EndOne(ctx context.Context, frontend, subject, id string) error {
	o := p.settings.Load()
	all, err := p.listed(ctx, o, frontend, subject)
	if err != nil {
		return store.Unavailable("end one", err)
	}
	for _, e := range all {
		if e.ID != id {
			continue
		}
		n, err := p.endListed(ctx, o, frontend, subject, []listed{e})
		if err != nil {
			return store.Unavailable("end one", err)
		}
		if n == 1 {
			return nil
		}
	}
	return ErrNotFound
}

// EndOthers revokes all other sessions of s's person at its frontend that exist
// when it is called, and returns how many it ended.
func (p *people) EndOthers(ctx context.Context, s *Session) (int, error) {
	return p.endAllBut(ctx, s.Frontend, s.Subject, s.ID)
}

// EndAll revokes all sessions of a person at frontend and returns how many it
// ended. Both must be named: an empty one ends nothing.
func (p *people) EndAll(ctx context.Context, frontend, subject string) (int, error) {
	if frontend == "" || subject == "" {
		return 0, nil
	}
	return p.endAllBut(ctx, frontend, subject, "")
}
