package session

import (
	"context"
	"fmt"
	"time"

	"coatcheck/bff/keyring"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
)

// create makes, seals and stores the record of a session that begins now.
func (p *people) create(ctx context.Context, o *settings, t Ticket, in Start) (*Session, error) {
	now := p.now().Truncate(time.Millisecond)
	return p.put(ctx, o, t, in.Frontend, now, &record.Record{
		ID: newID(), Subject: PersonOf(in.Provider, in.Subject), Provider: in.Provider, User: in.User, Persistent: in.Persistent, Created: now,
		Ends: o.end(now, in), Credential: in.Credential,
	})
}

// put seals and stores a new record, now.
func (p *people) put(ctx context.Context, o *settings, t Ticket, frontend string, now time.Time, r *record.Record) (*Session, error) {
	h := t.Hash()
	sealed, err := o.ring.First().Seal(t.RevealBytes(), p.key(h), frontend, 1, r.Encode())
	if err != nil {
		return nil, err
	}
	ttl := min(o.idle, r.Ends.Sub(now))
	if ttl <= 0 {
		return nil, fmt.Errorf("session: start: %w", ErrTokenEnded)
	}
	epoch, asked := p.near.Epoch(h), p.clock.Elapsed()
	if err := p.store.Create(ctx, p.key(h), append(store.AppendStamp(nil, now), sealed...), ttl); err != nil {
		return nil, store.Unavailable("start", err)
	}
	s := sessionOf(h, record.Opened{Opened: keyring.Opened{Generation: 1, Frontend: frontend, Plain: sealed}, Seen: now, Record: r})
	if o.near > 0 {
		p.near.Put(h, epoch, asked, s)
	}
	return s, nil
}

// index puts a new session into the person's list and ends those beyond the
// limit. A session that cannot be listed must not live: nobody could revoke it.
func (p *people) index(ctx context.Context, o *settings, s *Session, in Start) error {
	e := Entry{ID: s.ID, CreatedAt: s.Created, UserAgent: cutText(in.UserAgent, maxUserAgent), Address: cutText(in.Address, maxUserAgent)}
	err := p.addEntry(ctx, o, s, e)
	if err == nil {
		err = p.keepLimit(ctx, o, s)
	}
	if err != nil {
		_, _, _ = p.remove(context.WithoutCancel(ctx), s.hash, 0, Revoked)
		return store.Unavailable("start", err)
	}
	return nil
}
