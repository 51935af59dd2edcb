package memory

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"

	"coatcheck/bff/session/store"
)

// space is everything that is in a store, and how much it is. Its methods take one
// shard's lock at a time and never wait.
type space struct {
	shards  [shardCount]shard
	seed    maphash.Seed
	clock   store.LocalClock
	bytes   atomic.Int64
	most    int64 // of bytes, for what is new
	journal Journal
}

// shard holds what belongs to some keys; a record's tombstone and lease
// are in the record's shard.
type shard struct {
	mu      sync.Mutex
	items   map[string]Item
	tables  map[string]map[string]Item
	windows map[string]*attempts
	peak    int // most items since their map was made
}

// Item is a value until a time, in milliseconds since 1970. One that ends at 0 is none.
type Item struct {
	Data []byte // what is kept
	Ends int64  // milliseconds since 1970
}

// lock returns the shard of key, locked, and the time in milliseconds.
func (m *space) lock(key string) (*shard, int64) {
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
func (m *space) reserve(n int64) error {
	if m.bytes.Add(n) > m.most && n > 0 {
		m.bytes.Add(-n)
		return store.ErrFull
	}
	return nil
}

// add stores an item of somebody who comes in; it is refused at the bound. Only the
// difference to what is there counts. The shard is locked.
func (m *space) add(s *shard, key string, it Item) error {
	if err := m.reserve(it.size(key) - s.items[key].size(key)); err != nil {
		return err
	}
	m.keep(s, key, it)
	return nil
}

// put stores an item of somebody who is in; it is never refused. Such items are
// bounded by the sessions that were let in. The shard is locked.
func (m *space) put(s *shard, key string, it Item) {
	m.bytes.Add(it.size(key) - s.items[key].size(key))
	m.keep(s, key, it)
}

func (m *space) keep(s *shard, key string, it Item) {
	s.items[key] = it
	s.peak = max(s.peak, len(s.items))
	m.journal.Item(key, it)
}

func (m *space) unset(s *shard, key string) {
	if it, ok := s.items[key]; ok {
		m.bytes.Add(-it.size(key))
		delete(s.items, key)
		m.journal.Item(key, Item{})
	}
}

// sweep removes what has run out.
func (m *space) sweep() {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		m.sweepShard(s, m.clock.Wall().UnixMilli())
		s.mu.Unlock()
	}
}

func (m *space) sweepShard(s *shard, now int64) {
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
