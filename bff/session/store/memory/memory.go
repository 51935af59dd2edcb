// Package memory is the store in this process: gone with it, and the base of package
// file. It is the default for one machine.
package memory

import (
	"context"
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
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
	shards [shardCount]shard
	seed   maphash.Seed
	clock  store.LocalClock
	bytes  atomic.Int64
	most   int64 // of bytes, for what is new

	mu        sync.Mutex
	listeners map[*listener]struct{}

	journal Journal
	stop    chan struct{}
	done    sync.WaitGroup
}

// shard holds what belongs to some keys; a record's tombstone and lease
// lie in the record's shard.
type shard struct {
	mu      sync.Mutex
	items   map[string]Item
	tables  map[string]map[string]Item
	windows map[string]*attempts
	peak    int // most items since their map was made
}

// Item is a value until a time, in milliseconds since 1970. One that ends at 0 is none.
type Item struct {
	Data []byte
	Ends int64
}

// New makes an empty store. Its sweeper begins with [Store.Run].
func New(o Options) *Store {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	m := &Store{
		seed: maphash.MakeSeed(), clock: store.NewLocalClock(o.Now), most: o.MaxBytes - o.MaxBytes/reservedPart,
		listeners: map[*listener]struct{}{}, journal: noJournal{}, stop: make(chan struct{}),
	}
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

// lock returns the shard of key, locked, and the time in milliseconds.
func (m *Store) lock(key string) (*shard, int64) {
	s := &m.shards[maphash.String(m.seed, key)%shardCount]
	s.mu.Lock()
	return s, m.clock.Wall().UnixMilli()
}

// get returns the item under key if it has not run out.
func (s *shard) get(key string, now int64) (Item, bool) {
	it, ok := s.items[key]
	return it, ok && it.Ends > now
}

// size is what an item takes under key, in bytes; none takes nothing.
func (it Item) size(key string) int64 {
	if it.Ends == 0 {
		return 0
	}
	return int64(len(key) + len(it.Data) + itemOverhead)
}

// reserve counts n bytes more for something new, or returns [ErrFull].
func (m *Store) reserve(n int64) error {
	if m.bytes.Add(n) > m.most && n > 0 {
		m.bytes.Add(-n)
		return store.ErrFull
	}
	return nil
}

// add stores an item of somebody who comes in; it is refused at the bound. Only the
// difference to what lies there counts. The shard is locked.
func (m *Store) add(s *shard, key string, it Item) error {
	if err := m.reserve(it.size(key) - s.items[key].size(key)); err != nil {
		return err
	}
	m.keep(s, key, it)
	return nil
}

// put stores an item of somebody who is in; it is never refused. Such items are
// bounded by the sessions that were let in. The shard is locked.
func (m *Store) put(s *shard, key string, it Item) {
	m.bytes.Add(it.size(key) - s.items[key].size(key))
	m.keep(s, key, it)
}

func (m *Store) keep(s *shard, key string, it Item) {
	s.items[key] = it
	s.peak = max(s.peak, len(s.items))
	m.journal.Item(key, it)
}

func (m *Store) unset(s *shard, key string) {
	if it, ok := s.items[key]; ok {
		m.bytes.Add(-it.size(key))
		delete(s.items, key)
		m.journal.Item(key, Item{})
	}
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

// sweep removes what has run out.
func (m *Store) sweep() {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		m.sweepShard(s, m.clock.Wall().UnixMilli())
		s.mu.Unlock()
	}
}

func (m *Store) sweepShard(s *shard, now int64) {
	for key, it := range s.items {
		if it.Ends <= now {
			m.unset(s, key)
		}
	}
	for table, entries := range s.tables {
		for id, it := range entries {
			if it.Ends <= now {
				m.dropEntry(s, table, id)
			}
		}
	}
	for key, a := range s.windows {
		if a.ends <= now {
			m.forget(s, key)
		}
	}
	s.shrink()
}

// shrink gives back what the map of items took when there were many more: a map
// alone never does.
func (s *shard) shrink() {
	if s.peak < shrinkFrom || len(s.items) > s.peak/4 {
		return
	}
	items := make(map[string]Item, len(s.items))
	maps.Copy(items, s.items)
	s.items, s.peak = items, len(items)
}
