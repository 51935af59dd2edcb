// Package memory is the store in this process: gone with it, and the base of package
// file. It is the default for one machine.
package memory

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"coatcheck/bff/session/store"
)

// What things take besides their keys and values, in bytes. The figures are upper
// estimates: TestBoundBoundsMemory compares them with what the heap really takes.
const (
	itemOverhead    = 160
	tableOverhead   = 560 // the map of one table's entries
	windowOverhead  = 128 // the list of one key's attempts
	attemptOverhead = 80
)

const (
	shardCount = 64
	sweepEvery = 10 * time.Second
	shrinkFrom = 1024 // items of a shard; smaller maps are left alone

	// reservedPart is the part of the bound that sign-ins leave to the people who are
	// in, whose records may grow when a credential is renewed: one eighth.
	reservedPart = 8
)

// DefaultMaxBytes bounds a store whose Options name no bound.
const DefaultMaxBytes = 256 << 20

// Options say how a store in this process is bounded. What is zero has the default in
// brackets.
type Options struct {
	// Now is its clock [time.Now].
	Now func() time.Time

	// MaxBytes bounds it, in bytes [DefaultMaxBytes]. Sign-ins are refused from seven
	// eighths of it; the rest is for people who are in, whose records may grow. Nobody
	// is thrown out, and what people who are in need is kept even beyond the bound.
	MaxBytes int64
}

// Store keeps everything in this process. What is new is refused at the bound with
// [store.ErrFull]; what belongs to somebody who is in never is. What has run out is
// removed by the sweeper, which Close ends.
type Store struct {
	space

	listeners listeners

	stop chan struct{}
	done sync.WaitGroup
}

// New makes an empty store. Its sweeper begins with [Store.Run].
func New(o Options) *Store {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	m := &Store{stop: make(chan struct{})}
	m.seed, m.clock, m.journal = maphash.MakeSeed(), store.NewLocalClock(o.Now), noJournal{}
	m.most = o.MaxBytes - o.MaxBytes/reservedPart
	for i := range m.shards {
		m.shards[i] = shard{
			items: map[string]Item{}, tables: map[string]map[string]Item{}, windows: map[string]*attempts{},
		}
	}
	return m
}

// Open makes a store that nothing outlives, and runs it until Close.
func Open(o Options) *Store {
	m := New(o)
	m.Run(nil)
	return m
}

// Run begins the sweeper, which Close ends, after j was told what has run out already.
// From now on j hears of every change; nil for nobody. Call it once, before any other
// method but the Restore ones.
func (m *Store) Run(j Journal) {
	if j != nil {
		m.journal = j
		m.sweep()
	}
	m.done.Go(m.sweepUntilClosed)
}

// Clock implements [store.Store] with the local clock.
func (m *Store) Clock(context.Context) (time.Time, error) { return m.clock.Wall(), nil }

// Stats implements [store.Store]; there is nothing to count.
func (m *Store) Stats() store.Stats { return store.Stats{} }

// Close ends the sweeper and then closes the journal.
func (m *Store) Close() error {
	close(m.stop)
	m.done.Wait()
	return m.journal.Close()
}

// sweepUntilClosed runs in the store's one goroutine.
func (m *Store) sweepUntilClosed() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-tick.C:
			m.sweep()
		}
	}
}
