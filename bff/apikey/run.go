package apikey

import (
	"context"
	"time"
)

// poll is how often the version is compared while nobody calls: at least once a
// second, so that streams of a revoked key end in time.
const poll = time.Second

// Run keeps the table until ctx ends: compares versions, ends expired keys, writes
// last uses, tells of ends that come near, and has the store forget keys that ended
// long ago. The process runs it once; it starts no goroutine.
func (t *Table) Run(ctx context.Context) {
	every := poll
	if t.age > 0 && t.age < poll {
		every = max(t.age, 100*time.Millisecond)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for wrote := t.now(); ; {
		_ = t.Sync(ctx) // told by Events.Failed
		t.ends()
		if now := t.now(); now.Sub(wrote) >= useEvery {
			wrote = now
			t.writeUses(ctx)
			t.prune(ctx)
		}
		select {
		case <-ctx.Done():
			t.writeUses(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
		}
	}
}

// ends tells of keys whose end has come or comes near.
func (t *Table) ends() {
	now := t.now()
	for id, r := range t.snapshot.Load().byID {
		if r.ExpiresAt.IsZero() {
			continue
		}
		left := r.ExpiresAt.Sub(now)
		last, told := t.warned.Load(id)
		switch {
		case left <= 0 && (!told || last != expired):
			t.warned.Store(id, expired)
			if t.events.Ended != nil && !r.ExpiresAt.Before(t.began) && !t.isLost(r) {
				t.events.Ended(r.entry())
			}
		case left > 0 && left < nearEnd && !t.isLost(r) && (!told || now.Sub(last.(time.Time)) >= 24*time.Hour):
			t.warned.Store(id, now)
			if t.events.NearEnd != nil {
				t.events.NearEnd(r.entry(), left)
			}
		}
	}
}

// expired marks a key whose end was logged.
var expired = time.Unix(0, 0)

// writeUses writes what was used since, best effort.
func (t *Table) writeUses(ctx context.Context) {
	uses := t.used.take(t.snapshot.Load().byID)
	if len(uses) == 0 || t.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := t.store.Use(ctx, uses); err != nil && t.events.Failed != nil {
		t.events.Failed(err)
	}
}

const (
	// endedKept is how long the record of a key whose time is over stays in the list.
	endedKept = 30 * 24 * time.Hour
	// pruneMost bounds what one step asks of the store.
	pruneMost = 1000
)

// prune has the store forget keys that ended long ago, best effort: they would fill the
// table. This process's clock only proposes; the store's decides.
func (t *Table) prune(ctx context.Context) {
	ends, now := map[string]time.Time{}, t.now()
	for id, r := range t.snapshot.Load().byID {
		if !r.ExpiresAt.IsZero() && now.Sub(r.ExpiresAt) > endedKept && len(ends) < pruneMost {
			ends[id] = r.ExpiresAt
		}
	}
	if len(ends) == 0 || t.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if _, err := t.store.Prune(ctx, ends, endedKept); err != nil && t.events.Failed != nil {
		t.events.Failed(err)
	}
}
