package session

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull means that a store in memory has reached its bound. What is new is
// refused, a sign-in first of all; nobody's session is thrown out for it.
var ErrFull = errors.New("session: store in memory is full")

// What things take besides their keys and values, in bytes. The figures are upper
// estimates: TestBoundBoundsMemory compares them with what the heap really takes.
const (
	itemOverhead    = 160
	personOverhead  = 560 // the map of one person's entries
	windowOverhead  = 128 // the list of one key's attempts
	attemptOverhead = 80
)

const (
	memoryShards     = 64
	memorySweepEvery = 10 * time.Second
	memoryShrinkFrom = 1024 // items of a shard; smaller maps are left alone

	// memoryReserve is the part of the bound that sign-ins leave to the people who
	// are in, whose records may grow when a credential is renewed: one eighth.
	memoryReserve = 8
)

// memory keeps everything in this process: the default for one machine and the
// base of the file store. What is new is refused at the bound; what belongs to
// somebody who is in never is. What has run out is removed by the sweeper, which
// Close ends.
type memory struct {
	shards [memoryShards]memoryShard
	seed   maphash.Seed
	clock  localClock
	bytes  atomic.Int64
	most   int64 // of bytes, for what is new

	mu        sync.Mutex
	listeners map[*memoryListener]struct{}

	journal *journal // nil unless sessions are to survive a restart
	stop    chan struct{}
	done    sync.WaitGroup
}

// memoryShard holds what belongs to some keys; a record's tombstone and lease
// lie in the record's shard.
type memoryShard struct {
	mu      sync.Mutex
	items   map[string]item
	people  map[string]map[string]item
	windows map[string]*attempts
	peak    int // most items since their map was made
}

// item is a value until a time, in milliseconds since 1970.
type item struct {
	data []byte
	ends int64
}

// openMemory makes a store for about maxBytes. Its sweeper runs until Close.
func openMemory(now func() time.Time, maxBytes int64) *memory {
	m := newMemory(now, maxBytes)
	m.done.Go(m.sweepUntilClosed)
	return m
}

// newMemory makes a store without its sweeper.
func newMemory(now func() time.Time, maxBytes int64) *memory {
	m := &memory{
		seed: maphash.MakeSeed(), clock: newLocalClock(now), most: maxBytes - maxBytes/memoryReserve,
		listeners: map[*memoryListener]struct{}{}, stop: make(chan struct{}),
	}
	for i := range m.shards {
		m.shards[i] = memoryShard{
			items: map[string]item{}, people: map[string]map[string]item{}, windows: map[string]*attempts{},
		}
	}
	return m
}

func (m *memory) Clock(context.Context) (time.Time, error) { return m.clock.wall(), nil }

func (m *memory) Stats() StoreStats { return StoreStats{} }

// Close ends the sweeper and, for a file, writes what is not yet on disk.
func (m *memory) Close() error {
	close(m.stop)
	m.done.Wait()
	if m.journal != nil {
		return m.journal.close()
	}
	return nil
}

// lock returns the shard of key, locked, and the time in milliseconds.
func (m *memory) lock(key string) (*memoryShard, int64) {
	s := &m.shards[maphash.String(m.seed, key)%memoryShards]
	s.mu.Lock()
	return s, m.clock.wall().UnixMilli()
}

// get returns the item under key if it has not run out.
func (s *memoryShard) get(key string, now int64) (item, bool) {
	it, ok := s.items[key]
	return it, ok && it.ends > now
}

// size is what an item takes under key, in bytes; none takes nothing.
func (it item) size(key string) int64 {
	if it.ends == 0 {
		return 0
	}
	return int64(len(key) + len(it.data) + itemOverhead)
}

// reserve counts n bytes more for something new, or returns [ErrFull].
func (m *memory) reserve(n int64) error {
	if m.bytes.Add(n) > m.most && n > 0 {
		m.bytes.Add(-n)
		return ErrFull
	}
	return nil
}

// add stores an item of somebody who comes in; it is refused at the bound. Only the
// difference to what lies there counts. The shard is locked.
func (m *memory) add(s *memoryShard, key string, it item) error {
	if err := m.reserve(it.size(key) - s.items[key].size(key)); err != nil {
		return err
	}
	m.keep(s, key, it)
	return nil
}

// put stores an item of somebody who is in; it is never refused. Such items are
// bounded by the sessions that were let in. The shard is locked.
func (m *memory) put(s *memoryShard, key string, it item) {
	m.bytes.Add(it.size(key) - s.items[key].size(key))
	m.keep(s, key, it)
}

func (m *memory) keep(s *memoryShard, key string, it item) {
	s.items[key] = it
	s.peak = max(s.peak, len(s.items))
	m.journal.item(key, it)
}

func (m *memory) unset(s *memoryShard, key string) {
	if it, ok := s.items[key]; ok {
		m.bytes.Add(-it.size(key))
		delete(s.items, key)
		m.journal.item(key, item{})
	}
}

// sweepUntilClosed runs in the store's one goroutine.
func (m *memory) sweepUntilClosed() {
	tick := time.NewTicker(memorySweepEvery)
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
func (m *memory) sweep() {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		m.sweepShard(s, m.clock.wall().UnixMilli())
		s.mu.Unlock()
	}
}

func (m *memory) sweepShard(s *memoryShard, now int64) {
	for key, it := range s.items {
		if it.ends <= now {
			m.unset(s, key)
		}
	}
	for person, entries := range s.people {
		for id, it := range entries {
			if it.ends <= now {
				m.dropEntry(s, person, id)
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
func (s *memoryShard) shrink() {
	if s.peak < memoryShrinkFrom || len(s.items) > s.peak/4 {
		return
	}
	items := make(map[string]item, len(s.items))
	maps.Copy(items, s.items)
	s.items, s.peak = items, len(items)
}
