package session

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull means that a store in memory has reached its bounds: nobody else's
// session is thrown out for a new one.
var ErrFull = errors.New("session: store in memory is full")

const (
	memoryShards     = 64
	memorySweepEvery = 10 * time.Second
	itemOverhead     = 160 // bytes that an item takes besides key and data, about
)

// memory keeps everything in this process: the default for one machine and the
// base of the file store. It is bounded; what has run out is removed by its
// sweeper, which Close ends.
type memory struct {
	shards   [memoryShards]memoryShard
	seed     maphash.Seed
	clock    localClock
	bytes    atomic.Int64
	maxBytes int64

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
}

// item is a value until a time, in milliseconds since 1970.
type item struct {
	data []byte
	ends int64
}

// openMemory makes a store of at most maxBytes. Its sweeper runs until Close.
func openMemory(now func() time.Time, maxBytes int64) *memory {
	m := newMemory(now, maxBytes)
	m.done.Go(m.sweepUntilClosed)
	return m
}

// newMemory makes a store without its sweeper.
func newMemory(now func() time.Time, maxBytes int64) *memory {
	m := &memory{
		seed: maphash.MakeSeed(), clock: newLocalClock(now), maxBytes: maxBytes,
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

// set stores an item and tells the journal. The shard is locked.
func (m *memory) set(s *memoryShard, key string, it item) error {
	if err := m.grow(key, it); err != nil {
		return err
	}
	m.shrink(key, s.items[key])
	s.items[key] = it
	m.journal.item(key, it)
	return nil
}

func (m *memory) unset(s *memoryShard, key string) {
	if it, ok := s.items[key]; ok {
		m.shrink(key, it)
		delete(s.items, key)
		m.journal.item(key, item{})
	}
}

func (m *memory) grow(key string, it item) error {
	n := int64(len(key) + len(it.data) + itemOverhead)
	if m.bytes.Add(n) > m.maxBytes {
		m.bytes.Add(-n)
		return ErrFull
	}
	return nil
}

func (m *memory) shrink(key string, it item) {
	if it.ends != 0 {
		m.bytes.Add(-int64(len(key) + len(it.data) + itemOverhead))
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
}
