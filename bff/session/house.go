package session

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	houseEvery = 5 * time.Second
	houseBatch = 256 // sessions asked for in one question
)

// keepHouse runs in a goroutine of the Manager until Close.
func (m *Manager) keepHouse() {
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	for {
		select {
		case <-m.closing.Done():
			return
		case <-m.reconnect:
			m.endReturned(m.closing)
		case <-tick.C:
			m.sweep(m.closing)
		}
	}
}

func (m *Manager) sweep(ctx context.Context) {
	defer m.contain()
	now := m.clock.elapsed()
	m.near.sweep(now - m.settings.Load().near)
	m.endings.sweep(now - endingsKept)
	m.flights.sweep(now - failureKept)
	m.tellWithheld(now)
	_ = m.askClock(ctx) // its failure shows in Ping and in every call
	m.lookAfterWatched(ctx)
}

// contain is deferred: a fault of the program in a message, a round or a renewal of a
// lease costs that one, and not the process. What it says may be a secret.
func (m *Manager) contain() {
	if recover() != nil {
		m.log.Error("panic", "stack", string(debug.Stack()))
	}
}

// endReturned ends again what a failover brought back.
func (m *Manager) endReturned(ctx context.Context) {
	defer m.contain()
	ended := m.endings.all()
	hashes := make([]hash, 0, len(ended))
	for h := range ended {
		hashes = append(hashes, h)
	}
	m.inBatches(ctx, hashes, func(h hash, alive bool) {
		if alive {
			_ = m.endAgain(ctx, h, ended[h]) // a failure is mended by the next round
		}
	})
}

// inBatches asks the store which of the sessions live. It leaves off at the
// first failure: there is another round.
func (m *Manager) inBatches(ctx context.Context, hashes []hash, each func(h hash, alive bool)) {
	for len(hashes) > 0 {
		batch := hashes[:min(houseBatch, len(hashes))]
		hashes = hashes[len(batch):]
		keys := make([]string, len(batch))
		for i, h := range batch {
			keys[i] = m.key(h)
		}
		seen, err := m.store.Seen(ctx, keys)
		if err != nil {
			return
		}
		for i, h := range batch {
			each(h, !seen[i].IsZero())
		}
	}
}

// Stats counts since the start of the process.
type Stats struct {
	NearHits, NearMisses uint64            // answered by the near cache, or not
	Touches              uint64            // extensions written
	Started              uint64            // sessions that began here
	Ended                map[Reason]uint64 // sessions that this replica ended, by reason
	Refreshes            map[string]uint64 // renewals of credentials, by outcome
	RefreshWaits         uint64            // renewals that waited for another replica's
	EndedAgain           uint64            // sessions that came back and were ended again
	Watched              int               // sessions with running streams, now
	StoreStats
}

type counts struct {
	nearHits, nearMisses, touches, endedAgain, started, refreshWaits atomic.Uint64
	ended                                                            [len(countedEndings)]atomic.Uint64
	refreshes                                                        [len(refreshOutcomes)]atomic.Uint64
}

// countedEndings are the reasons that somebody ends a session for. Of one that runs
// out nobody hears: it is gone from the store at its time.
var countedEndings = [...]Reason{SignedOut, Revoked, Upstream}

// refreshOutcomes are what becomes of a renewal: a new credential was stored, another
// replica had done it, the API refused it, or it could not be done now.
var refreshOutcomes = [...]string{"renewed", "overtaken", "refused", "failed"}

func (c *counts) endedFor(why Reason) {
	for i, r := range countedEndings {
		if r == why {
			c.ended[i].Add(1)
		}
	}
}

// refreshed counts one renewal by how it ended.
func (c *counts) refreshed(mine bool, err error) {
	var dead Dead
	outcome := 3
	switch {
	case err == nil && mine:
		outcome = 0
	case err == nil:
		outcome = 1
	case errors.As(err, &dead):
		outcome = 2
	}
	c.refreshes[outcome].Add(1)
}

// Stats returns what has been counted, for metrics.
func (m *Manager) Stats() Stats {
	c := &m.counts
	ended, refreshes := map[Reason]uint64{}, map[string]uint64{}
	for i, r := range countedEndings {
		ended[r] = c.ended[i].Load()
	}
	for i, o := range refreshOutcomes {
		refreshes[o] = c.refreshes[i].Load()
	}
	return Stats{
		NearHits: c.nearHits.Load(), NearMisses: c.nearMisses.Load(), Touches: c.touches.Load(),
		Started: c.started.Load(), Ended: ended, Refreshes: refreshes, RefreshWaits: c.refreshWaits.Load(), EndedAgain: c.endedAgain.Load(),
		Watched: len(m.watches.all()), StoreStats: m.store.Stats(),
	}
}
