package signature

import "sync/atomic"

// Budget bounds how many bytes of unverified bodies are held at once, over all
// calls. Its methods are safe for concurrent use. The zero value has no room.
type Budget struct {
	most int64
	used atomic.Int64
}

// NewBudget returns a budget of most bytes.
func NewBudget(most int64) *Budget { return &Budget{most: most} }

// Take reserves n bytes; false where there is no room, and nothing is reserved.
// A reader takes bytes as they come, not as a head announces them, so that no
// stranger reserves what is never sent.
func (b *Budget) Take(n int64) bool {
	for {
		used := b.used.Load()
		if n > b.most-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// TakeMore is Take for a body that has some of it already. The last quarter is left to
// those that have none, so that large bodies, which strangers may send, never keep out
// the small ones that most events are.
func (b *Budget) TakeMore(n int64) bool {
	return b.used.Load()+n <= b.most-b.most/4 && b.Take(n)
}

// Give returns what was taken.
func (b *Budget) Give(n int64) { b.used.Add(-n) }

// Used is how many bytes are reserved, for the metric coatcheck_unverified_bytes.
func (b *Budget) Used() int64 { return b.used.Load() }
