package memory

import (
	"strings"

	"coatcheck/bff/session/store"
)

// Journal hears of every change of items and entries, so that they outlive the process.
// All but Flush and Close are called with a lock held and must not block.
type Journal interface {
	// Item and Entry note a change; an [Item] that is none says that it was deleted.
	Item(key string, it Item)
	Entry(table, id string, it Item)

	// Created says that the change of key that was noted last is the first of it.
	Created(key string)

	// Flush returns when everything noted so far is kept.
	Flush() error

	// Close ends the journal.
	Close() error
}

// noJournal is the Journal of a store that nothing outlives.
type noJournal struct{}

func (noJournal) Item(string, Item)          {}
func (noJournal) Entry(string, string, Item) {}
func (noJournal) Created(string)             {}
func (noJournal) Flush() error               { return nil }
func (noJournal) Close() error               { return nil }

// Restore puts back an item that outlived an earlier process. It is never refused: it
// was let in before.
func (m *space) Restore(key string, it Item) {
	s, _ := m.lock(strings.TrimSuffix(key, store.TombstoneSuffix)) // a tombstone is with its record
	defer s.mu.Unlock()
	m.put(s, key, it)
}

// RestoreEntry puts back an entry of a table, as Restore does an item.
func (m *space) RestoreEntry(table, id string, it Item) {
	s, _ := m.lock(table)
	defer s.mu.Unlock()
	m.bytes.Add(s.entryGrowth(table, id, it))
	m.keepEntry(s, table, id, it)
}
