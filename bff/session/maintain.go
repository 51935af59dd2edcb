package session

import (
	"context"
	"time"

	"coatcheck/bff/session/store"
)

const (
	maintainEvery = 5 * time.Second
	maintainBatch = 256 // sessions asked for in one question
)

// maintenance is the work that no call does. It has two goroutines, which end with
// closing.
type maintenance struct {
	*finder
	flights *flights
	closing context.Context // done when the Manager's Close begins
}

// maintain runs in a goroutine of the Manager until Close.
func (m *maintenance) maintain() {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	looked := true // whether the last look at what came back met no failure
	for {
		select {
		case <-m.closing.Done():
			return
		case <-m.returning:
			looked = m.endReturned(m.closing)
		case <-tick.C:
			m.sweep(m.closing)
			if !looked { // behind a failover, the first questions may fail
				looked = m.endReturned(m.closing)
			}
		}
	}
}

// listen runs in a goroutine of the Manager until Close.
func (m *maintenance) listen() {
	m.store.Listen(m.closing, m.channel, store.Listener{
		Message:     m.hear,
		Gap:         func() { m.near.Flush(); m.lookAgain() },
		Reconnected: m.lookAgain,
	})
}

func (m *maintenance) sweep(ctx context.Context) {
	defer m.contain()
	now := m.clock.Elapsed()
	m.near.Sweep(now - m.settings.Load().near)
	m.recent.Sweep(now - store.TombstoneTTL)
	m.flights.sweep(now - failureKept)
	m.warnings.Withheld(now)
	_ = m.askClock(ctx) // its failure shows in Ping and in every call
	m.lookAfterWatched(ctx)
}

// endReturned ends again what a failover brought back. It reports whether the store
// answered every question: if not, it is to be done again.
func (m *maintenance) endReturned(ctx context.Context) (done bool) {
	defer m.contain()
	ended := m.recent.All()
	hashes := make([]hash, 0, len(ended))
	for h := range ended {
		hashes = append(hashes, h)
	}
	removed := true
	asked := m.inBatches(ctx, hashes, func(h hash, alive bool) {
		if alive && m.endAgain(ctx, h, ended[h]) != nil {
			removed = false // others may be at a server that takes writes
		}
	})
	return asked && removed
}

// lookAfterWatched ends the streams of sessions that are not in the store any
// more: run out, or ended while the message was lost.
func (m *maintenance) lookAfterWatched(ctx context.Context) {
	_ = m.inBatches(ctx, m.watches.All(), func(h hash, alive bool) {
		if !alive {
			_ = m.gone(ctx, h)
		}
	})
}

// inBatches asks the store which of the sessions live. It stops at the first failure,
// and reports whether there was none: there is another round.
func (m *maintenance) inBatches(ctx context.Context, hashes []hash, each func(h hash, alive bool)) (done bool) {
	for len(hashes) > 0 {
		batch := hashes[:min(maintainBatch, len(hashes))]
		hashes = hashes[len(batch):]
		keys := make([]string, len(batch))
		for i, h := range batch {
			keys[i] = m.key(h)
		}
		seen, err := m.store.Seen(ctx, keys)
		if err != nil {
			return false
		}
		for i, h := range batch {
			each(h, !seen[i].IsZero())
		}
	}
	return true
}
