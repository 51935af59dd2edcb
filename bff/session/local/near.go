package local

import (
	"sync"
	"time"

	"coatcheck/bff/session/ticket"
)

const nearShards = 64

// Near holds this replica's own copies of sessions: bounded, and never older
// than the caller accepts, counted from the moment the store was asked. So the
// promise of a sign-out needs no message to arrive.
//
// A fill can be overtaken by the message that makes it stale: the store is
// asked, answers, the session ends, the message comes, and only then is the
// answer put in. Therefore a fill carries the epoch that its shard had before
// the store was asked, and every invalidation raises the epoch.
type Near[S any] struct {
	shards   [nearShards]nearShard[S]
	maxBytes int // of one shard
	size     func(*S) int
}

type nearShard[S any] struct {
	mu      sync.RWMutex
	epoch   uint64
	entries map[ticket.Hash]nearEntry[S]
	bytes   int
}

// nearEntry: asked is the reading of the local clock just before the store was asked.
type nearEntry[S any] struct {
	session *S
	asked   time.Duration
	size    int
}

// Init makes n ready for at most maxBytes in all; size tells about how many a session
// takes.
func (n *Near[S]) Init(maxBytes int, size func(*S) int) {
	n.maxBytes, n.size = maxBytes/nearShards, size
	for i := range n.shards {
		n.shards[i].entries = map[ticket.Hash]nearEntry[S]{}
	}
}

// shard picks by the first byte: a hash is uniform.
func (n *Near[S]) shard(h ticket.Hash) *nearShard[S] { return &n.shards[h[0]%nearShards] }

// Get returns what was asked of the store no earlier than oldest; else nil.
func (n *Near[S]) Get(h ticket.Hash, oldest time.Duration) *S {
	s := n.shard(h)
	s.mu.RLock()
	e := s.entries[h]
	s.mu.RUnlock()
	if e.asked < oldest {
		return nil
	}
	return e.session
}

// Epoch is read before the store is asked and handed to [Near.Put].
func (n *Near[S]) Epoch(h ticket.Hash) uint64 {
	s := n.shard(h)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.epoch
}

// Put keeps s, unless anything of the shard was invalidated since epoch, what is
// there was asked later, or s alone is larger than the shard may be.
func (n *Near[S]) Put(h ticket.Hash, epoch uint64, asked time.Duration, s *S) {
	size := n.size(s)
	shard := n.shard(h)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.epoch != epoch || shard.entries[h].asked > asked {
		return
	}
	shard.remove(h)
	if size > n.maxBytes { // it would push out all others and the bound with them
		return
	}
	shard.makeRoom(n.maxBytes - size)
	shard.entries[h] = nearEntry[S]{session: s, asked: asked, size: size}
	shard.bytes += size
}

// Renew replaces the session of an older generation: readers that asked before
// the write must not put it back, so the epoch rises with it.
func (n *Near[S]) Renew(h ticket.Hash, epoch uint64, asked time.Duration, s *S) {
	shard := n.shard(h)
	shard.mu.Lock()
	same := shard.epoch == epoch
	shard.epoch++
	shard.remove(h)
	epoch = shard.epoch
	shard.mu.Unlock()
	if same {
		n.Put(h, epoch, asked, s)
	}
}

// Drop forgets one session.
func (n *Near[S]) Drop(h ticket.Hash) {
	s := n.shard(h)
	s.mu.Lock()
	s.epoch++
	s.remove(h)
	s.mu.Unlock()
}

// Flush forgets everything.
func (n *Near[S]) Flush() {
	for i := range n.shards {
		s := &n.shards[i]
		s.mu.Lock()
		s.epoch++
		clear(s.entries)
		s.bytes = 0
		s.mu.Unlock()
	}
}

// Sweep forgets what was asked before oldest; nobody would be served it.
func (n *Near[S]) Sweep(oldest time.Duration) {
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

func (s *nearShard[S]) remove(h ticket.Hash) {
	if e, ok := s.entries[h]; ok {
		s.bytes -= e.size
		delete(s.entries, h)
	}
}

// makeRoom drops whatever the map offers first until bytes are at most limit:
// entries live seconds, so a better choice would not pay.
func (s *nearShard[S]) makeRoom(limit int) {
	for h := range s.entries {
		if s.bytes <= limit {
			return
		}
		s.remove(h)
	}
}
