package memory

import (
	"context"
	"time"
)

func (m *Store) AddEntry(_ context.Context, table, id string, entry []byte, ttl time.Duration) (int, error) {
	n, err := m.addEntry(table, id, entry, ttl)
	if err != nil {
		return 0, err
	}
	return n, m.journal.Flush()
}

func (m *space) addEntry(table, id string, entry []byte, ttl time.Duration) (int, error) {
	s, now := m.lock(table)
	defer s.mu.Unlock()
	it := Item{Data: entry, Ends: now + ttl.Milliseconds()}
	if err := m.reserve(s.entryGrowth(table, id, it)); err != nil {
		return 0, err
	}
	m.keepEntry(s, table, id, it)
	return len(s.tables[table]), nil
}

// entryGrowth is by how many bytes the store grows with an entry.
func (s *shard) entryGrowth(table, id string, it Item) int64 {
	entries := s.tables[table]
	n := it.size(id) - entries[id].size(id)
	if entries == nil {
		n += tableSize(table)
	}
	return n
}

func tableSize(table string) int64 { return int64(len(table) + tableOverhead) }

func (m *space) keepEntry(s *shard, table, id string, it Item) {
	if s.tables[table] == nil {
		s.tables[table] = map[string]Item{}
	}
	s.tables[table][id] = it
	m.journal.Entry(table, id, it)
}

func (m *Store) Entries(_ context.Context, table string) (map[string][]byte, error) {
	s, now := m.lock(table)
	defer s.mu.Unlock()
	found := map[string][]byte{}
	for id, it := range s.tables[table] {
		if it.Ends > now {
			found[id] = it.Data
		}
	}
	return found, nil
}

func (m *Store) DropEntries(_ context.Context, table string, ids ...string) error {
	s, _ := m.lock(table)
	defer s.mu.Unlock()
	for _, id := range ids {
		m.dropEntry(s, table, id)
	}
	return nil
}

func (m *space) dropEntry(s *shard, table, id string) {
	entries := s.tables[table]
	it, ok := entries[id]
	if !ok {
		return
	}
	m.bytes.Add(-it.size(id))
	delete(entries, id)
	if len(entries) == 0 {
		m.bytes.Add(-tableSize(table))
		delete(s.tables, table)
	}
	m.journal.Entry(table, id, Item{})
}

func (m *space) indexed(tables []string, id string) bool {
	for _, table := range tables {
		s, now := m.lock(table)
		it, ok := s.tables[table][id]
		s.mu.Unlock()
		if ok && it.Ends > now {
			return true
		}
	}
	return false
}
