package provider

import (
	"crypto/rand"
	"time"
)

// table holds what ends by itself, by an unguessable name. It is guarded by
// [Provider.mu], and bounded.
type table[T any] struct{ entries map[string]entry[T] }

type entry[T any] struct {
	value T
	ends  time.Time
}

func (t *table[T]) put(name string, value T, now time.Time, life time.Duration) {
	if t.entries == nil {
		t.entries = map[string]entry[T]{}
	}
	if len(t.entries) >= maxEntries {
		t.sweep(now)
	}
	t.entries[name] = entry[T]{value, now.Add(life)}
}

// sweep drops what ended; and everything, where nothing did.
func (t *table[T]) sweep(now time.Time) {
	for name, e := range t.entries {
		if !now.Before(e.ends) {
			delete(t.entries, name)
		}
	}
	if len(t.entries) >= maxEntries {
		clear(t.entries)
	}
}

func (t *table[T]) get(name string, now time.Time) (T, bool) {
	e, there := t.entries[name]
	if !there || !now.Before(e.ends) {
		var none T
		return none, false
	}
	return e.value, true
}

func (t *table[T]) drop(name string) { delete(t.entries, name) }

// random is an unguessable name.
func random() string { return rand.Text() }
