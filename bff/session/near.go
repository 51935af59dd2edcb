package session

import (
	"sync"
	"time"
)

const (
	nearShards   = 64
	nearMaxBytes = 64 << 20
)

// near is this replica's own knowledge of sessions: bounded, and never older
// than the caller accepts, counted from the moment the store was asked. So the
// promise of a sign-out needs no message to arrive.
//
// A fill can be overtaken by the message that makes it stale: the store is
// asked, answers, the session ends, the message comes, and only then is the
// answer put in. Therefore a fill carries the epoch that its shard had before
// the store was asked, and every invalidation raises the epoch.
type near struct {
	shards   [nearShards]nearShard
	maxBytes int // of one shard
}

type nearShard struct {
	mu      sync.RWMutex
	epoch   uint64
	entries map[hash]nearEntry
	bytes   int
}

// nearEntry belongs to one frontend, the session's own; asked is the reading of
// the local clock just before the store was asked.
type nearEntry struct {
	session *Session
	asked   time.Duration
}

func (n *near) init(maxBytes int) {
	n.maxBytes = maxBytes / nearShards
	for i := range n.shards {
		n.shards[i].entries = map[hash]nearEntry{}
	}
}

// shard picks by the first byte: the hash is uniform.
func (n *near) shard(h hash) *nearShard { return &n.shards[h[0]%nearShards] }

// get returns what was asked of the store no earlier than oldest, for frontend.
func (n *near) get(h hash, frontend string, oldest time.Duration) *Session {
	s := n.shard(h)
	s.mu.RLock()
	e := s.entries[h]
	s.mu.RUnlock()
	if e.session == nil || e.asked < oldest || e.session.Frontend != frontend {
		return nil
	}
	return e.session
}

// epoch is read before the store is asked and handed to put.
func (n *near) epoch(h hash) uint64 {
	s := n.shard(h)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.epoch
}

// put keeps s, unless anything of the shard was invalidated since epoch, what is
// there was asked later, or s alone is larger than the shard may be.
func (n *near) put(h hash, epoch uint64, asked time.Duration, s *Session) {
	shard := n.shard(h)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.epoch != epoch || shard.entries[h].asked > asked {
		return
	}
	shard.remove(h)
	if s.size > n.maxBytes { // it would push out all others and the bound with them
		return
	}
	shard.makeRoom(n.maxBytes - s.size)
	shard.entries[h] = nearEntry{session: s, asked: asked}
	shard.bytes += s.size
}

// renew replaces the session of an older generation: readers that asked before
// the write must not put it back, so the epoch rises with it.
func (n *near) renew(h hash, epoch uint64, asked time.Duration, s *Session) {
	shard := n.shard(h)
	shard.mu.Lock()
	same := shard.epoch == epoch
	shard.epoch++
	shard.remove(h)
	epoch = shard.epoch
	shard.mu.Unlock()
	if same {
		n.put(h, epoch, asked, s)
	}
}

// drop forgets one session.
func (n *near) drop(h hash) {
	s := n.shard(h)
	s.mu.Lock()
	s.epoch++
	s.remove(h)
	s.mu.Unlock()
}

// flush forgets everything.
func (n *near) flush() {
	for i := range n.shards {
		s := &n.shards[i]
		s.mu.Lock()
		s.epoch++
		clear(s.entries)
		s.bytes = 0
		s.mu.Unlock()
	}
}

// sweep forgets what was asked before oldest; nobody would be served it.
func (n *near) sweep(oldest time.Duration) {
	for i := range n.shards {
		s := &n.shards[i]
		s.mu.Lock()
		for h, e := range s.entries {
			if e.asked < oldest {
				s.remove(h)
			}
		}
		s.mu.Unlock()
	}
}

func (s *nearShard) remove(h hash) {
	if e, ok := s.entries[h]; ok {
		s.bytes -= e.session.size
		delete(s.entries, h)
	}
}

// makeRoom drops whatever the map offers first until bytes are at most limit:
// entries live seconds, so a better choice would not pay.
func (s *nearShard) makeRoom(limit int) {
	for h := range s.entries {
		if s.bytes <= limit {
			return
		}
		s.remove(h)
	}
}
