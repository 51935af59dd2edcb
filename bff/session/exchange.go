package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
)

// ExchangeFunc asks the API for another credential for a session, as it is at that
// moment. What it returns is for [Manager.Exchange]: who the person is then (without a
// Subject the same, without a User as they were), the whole credential, and what their
// list shows.
type ExchangeFunc func(ctx context.Context, now *Session) (Start, error)

// Exchange gives a session another credential under a new ticket, and ends the old
// ticket at once. The session keeps its beginning and its latest end, and, where the
// person is the same, its id and its streams. It runs alone: no renewal of the old
// credential is at work meanwhile, in this process or another, and wait bounds how long
// one that is at work is waited for.
//
// What f fails with is returned, and the session is as it was. The other errors are
// those of [Manager.Start], and [EndedError]: the session was over, or ended before its
// new credential was stored, which is then handed to Orphaned.
func (m *Manager) Exchange(ctx context.Context, s *Session, t Ticket, wait time.Duration, f ExchangeFunc) (Ticket, *Session, error) {
	r := &refresh{m: m, t: t, h: t.Hash(), old: s, owner: rand.Text()}
	now, err := r.alone(ctx, wait)
	if err != nil {
		return Ticket{}, nil, err
	}
	stop := r.keepLease(ctx)
	defer func() { stop(); r.unlease(ctx, true) }()
	in, err := f(ctx, now)
	if err != nil {
		return Ticket{}, nil, err
	}
	if in.Credential == nil {
		return Ticket{}, nil, errors.New("session: exchange: no credential and no error")
	}
	return m.succeed(ctx, now, r.h, in)
}

// alone takes the lease, however often somebody else has it, and reads the session.
func (r *refresh) alone(ctx context.Context, wait time.Duration) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		news, stop := r.m.wakeUps.Wait(r.h)
		held, s, err := r.lease(ctx)
		if err == nil && !held {
			err = r.await(ctx, news)
			stop()
			if err != nil {
				return nil, err
			}
			continue
		}
		stop()
		if err != nil {
			r.unlease(ctx, held)
			return nil, err
		}
		return s, nil
	}
}

// succeed stores the session that comes in the place of was, and ends that. What is
// stored first may be ended by others already; what was ended meanwhile stays ended.
func (m *Manager) succeed(ctx context.Context, was *Session, h hash, in Start) (Ticket, *Session, error) {
	o, now := m.settings.Load(), m.now().Truncate(time.Millisecond)
	r := &record.Record{ID: was.ID, Subject: was.Subject, User: in.User, Persistent: was.Persistent, Created: was.Created, Ends: o.end(was.Created, in), Credential: in.Credential}
	if in.User == nil {
		r.User = was.User
	}
	same := in.Subject == "" || PersonOf("", in.Subject) == was.Subject
	if !same {
		r.ID, r.Subject, r.User = newID(), PersonOf("", in.Subject), in.User
	}
	t := ticket.New()
	s, err := m.put(ctx, o, t, was.Frontend, now, r)
	if err == nil {
		err = m.index(ctx, o, s, in)
	}
	if err != nil {
		return Ticket{}, nil, err
	}
	var next hash // the streams of another person end
	if same {
		next = s.hash
	} else {
		m.dropEntries(ctx, o, was.Frontend, was.Subject, was.ID)
	}
	if err := m.supersede(ctx, h, next); err != nil {
		_, _, _ = m.remove(context.WithoutCancel(ctx), s.hash, 0, Revoked)
		if m.orphaned != nil && errors.As(err, new(EndedError)) {
			m.orphaned(ctx, was, in.Credential)
		}
		return Ticket{}, nil, err
	}
	return t, s, nil
}

// exchanged is what a tombstone says of a session that goes on under another hash, which
// stands behind. Who does not know the word reads it as [Expired].
const exchanged = "exchanged "

// successor is the hash under which a session goes on, by its tombstone.
func successor(tombstone string) (hash, bool) {
	text, ok := strings.CutPrefix(tombstone, exchanged)
	if !ok {
		return hash{}, false
	}
	return ticket.ParseHash(text)
}

// movedTo is where the session of h goes on by now, as its tombstones say; h itself where it
// does not.
func (k *knowledge) movedTo(ctx context.Context, h hash) (hash, error) {
	for {
		reason, err := k.store.Tombstone(ctx, k.key(h))
		next, moved := successor(reason)
		if err != nil || !moved {
			return h, err
		}
		h = next
	}
}

// supersede ends what lies under h; next is where it goes on, zero where it does not.
// Its error is [EndedError] where it was over already, or [store.ErrUnavailable].
func (k *knowledge) supersede(ctx context.Context, h, next hash) error {
	removal := store.Removal{Reason: string(Expired), Note: k.endedNote(h, Expired)}
	if next != (hash{}) {
		removal = store.Removal{Reason: exchanged + next.Hex(), Note: k.note(eventMoved, h, next.Hex())}
	}
	_, outcome, err := k.store.Remove(ctx, k.key(h), removal)
	switch {
	case err != nil:
		k.near.Drop(h)
		return store.Unavailable("exchange", err)
	case outcome == store.Gone:
		return fmt.Errorf("session: exchange: %w", k.gone(ctx, h))
	case next == (hash{}):
		k.ended(h, Expired)
	default:
		k.moved(h, next)
	}
	return nil
}

// moved takes in that a session goes on under next: the old ticket opens nothing, and
// its streams run on.
func (k *knowledge) moved(h, next hash) {
	k.recent.Move(h, next, Expired, k.clock.Elapsed())
	k.near.Drop(h)
	k.wakeUps.Wake(h)
	k.watches.Move(h, k.recent.Last(next))
	// It may have ended in the meantime, while its streams still stood under the old name.
	if last := k.recent.Last(next); last != h {
		if reason, over := k.recent.Reason(last); over {
			k.watches.Tell(last, reason)
		}
	}
}
