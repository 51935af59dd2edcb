package session

import (
	"context"
	"time"

	"coatcheck/bff/keyring"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
)

// Vault keeps sealed records under tickets in the store: the sessions of a [Manager], and
// whatever else is opened by a ticket, each kind in a place of its own where the tickets
// of other kinds open nothing. It has the keys, the store's clock and the log, and
// follows [Manager.Reconfigure]. Methods that ask the store return
// [store.ErrUnavailable] while it is away.
type Vault struct{ core *core }

// Now is the store's time: the local clock and the measured distance to it.
func (v Vault) Now() time.Time { return v.core.now() }

// Counters are the store's, for what is counted beside records.
func (v Vault) Counters() store.Counters { return v.core.store }

// Key is where the record of kind lies that t opens. The braces keep it and what lies
// beside it in one slot of a Redis Cluster.
func (v Vault) Key(kind string, t Ticket) string { return v.core.keyAt(kind, t.Hash()) }

// Keys are keys of kind for something that parts name, one for each server key, in an
// order that all replicas share. The parts cannot be read from them. While keys roll,
// replicas with different lists have at least one key in common.
func (v Vault) Keys(kind string, parts ...string) []string {
	keys := v.core.settings.Load().ring.Names(parts...)
	for i, name := range keys {
		keys[i] = v.core.prefix + ":" + kind + ":{" + name + "}"
	}
	return keys
}

// Put seals r under a new ticket and keeps it for life, which sets r.Created and r.Ends.
func (v Vault) Put(ctx context.Context, kind, frontend string, r record.Record, life time.Duration) (Ticket, error) {
	t := ticket.New()
	if err := v.put(ctx, kind, frontend, t, r, life); err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// PutAt is [Vault.Put] under a ticket that the caller has, in place of what was there,
// which is gone first.
func (v Vault) PutAt(ctx context.Context, kind, frontend string, t Ticket, r record.Record, life time.Duration) error {
	if _, err := v.Drop(ctx, kind, t); err != nil {
		return err
	}
	return v.put(ctx, kind, frontend, t, r, life)
}

func (v Vault) put(ctx context.Context, kind, frontend string, t Ticket, r record.Record, life time.Duration) error {
	if err := v.core.needClock(ctx); err != nil {
		return err
	}
	now := v.Now()
	r.ID, r.Created, r.Ends = newID(), now, now.Add(life)
	sealed, err := v.core.settings.Load().ring.First().Seal(t.RevealBytes(), v.Key(kind, t), frontend, 1, r.Encode())
	if err != nil {
		return err
	}
	if err := v.core.store.Create(ctx, v.Key(kind, t), append(store.AppendStamp(nil, now), sealed...), life); err != nil {
		return store.Unavailable("put", err)
	}
	return nil
}

// Claim takes what t opens for owner, for ttl at most; false: somebody else has it.
func (v Vault) Claim(ctx context.Context, kind string, t Ticket, owner string, ttl time.Duration) (bool, error) {
	held, _, err := v.core.store.Lease(ctx, v.Key(kind, t), owner, ttl)
	if err != nil {
		return false, store.Unavailable("claim", err)
	}
	return held, nil
}

// Unclaim gives it back, best effort: it runs out by itself.
func (v Vault) Unclaim(ctx context.Context, kind string, t Ticket, owner string) {
	_ = v.core.store.Unlease(ctx, v.Key(kind, t), owner, store.Note{})
}

// Get returns the record of kind that t opens at frontend, after isSound has read it.
// Where there is none (any more) the error is [EndedError]. One that is corrupt, or that
// isSound refuses, is removed; one that only another replica can read is left alone.
func (v Vault) Get(ctx context.Context, kind, frontend string, t Ticket, isSound func(*record.Record) bool) (*record.Record, error) {
	if err := v.core.needClock(ctx); err != nil {
		return nil, err
	}
	value, err := v.core.store.Load(ctx, v.Key(kind, t))
	if err != nil {
		return nil, store.Unavailable("get", err)
	}
	if value == nil {
		return nil, EndedError{Expired}
	}
	o, err := record.Open(v.core.settings.Load().ring, t.RevealBytes(), v.Key(kind, t), value)
	if err == nil && o.Frontend == frontend && !isSound(o.Record) {
		err = keyring.ErrCorrupt
	}
	if err != nil {
		return nil, v.core.judge(frontend, err, func() error {
			_, err := v.Drop(ctx, kind, t)
			return err
		})
	}
	if o.Frontend != frontend {
		v.core.securityEvent("ticket_of_another_frontend", "frontend", frontend)
		return nil, EndedError{Expired}
	}
	if !v.Now().Before(o.Record.Ends) {
		return nil, EndedError{Expired}
	}
	return o.Record, nil
}

// Drop removes the record of kind that t opens. It reports whether there was one: of
// callers that come at once, it says so to one.
func (v Vault) Drop(ctx context.Context, kind string, t Ticket) (bool, error) {
	_, outcome, err := v.core.store.Remove(ctx, v.Key(kind, t), store.Removal{Reason: string(Expired)})
	if err != nil {
		return false, store.Unavailable("drop", err)
	}
	return outcome == store.Done, nil
}
