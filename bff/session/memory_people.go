package session

import (
	"context"
	"time"
)

func (m *memory) AddEntry(_ context.Context, person, id string, entry []byte, ttl time.Duration) (int, error) {
	n, err := m.addEntry(person, id, entry, ttl)
	if err != nil {
		return 0, err
	}
	return n, m.journal.flush()
}

func (m *memory) addEntry(person, id string, entry []byte, ttl time.Duration) (int, error) {
	s, now := m.lock(person)
	defer s.mu.Unlock()
	it := item{data: entry, ends: now + ttl.Milliseconds()}
	if err := m.reserve(s.entryGrowth(person, id, it)); err != nil {
		return 0, err
	}
	m.keepEntry(s, person, id, it)
	return len(s.people[person]), nil
}

// entryGrowth is by how many bytes the store grows with an entry.
func (s *memoryShard) entryGrowth(person, id string, it item) int64 {
	entries := s.people[person]
	n := it.size(id) - entries[id].size(id)
	if entries == nil {
		n += personSize(person)
	}
	return n
}

func personSize(person string) int64 { return int64(len(person) + personOverhead) }

func (m *memory) keepEntry(s *memoryShard, person, id string, it item) {
	if s.people[person] == nil {
		s.people[person] = map[string]item{}
	}
	s.people[person][id] = it
	m.journal.entry(person, id, it)
}

func (m *memory) Entries(_ context.Context, person string) (map[string][]byte, error) {
	s, now := m.lock(person)
	defer s.mu.Unlock()
	found := map[string][]byte{}
	for id, it := range s.people[person] {
		if it.ends > now {
			found[id] = it.data
		}
	}
	return found, nil
}

func (m *memory) DropEntries(_ context.Context, person string, ids ...string) error {
	s, _ := m.lock(person)
	defer s.mu.Unlock()
	for _, id := range ids {
		m.dropEntry(s, person, id)
	}
	return nil
}

func (m *memory) dropEntry(s *memoryShard, person, id string) {
	entries := s.people[person]
	it, ok := entries[id]
	if !ok {
		return
	}
	m.bytes.Add(-it.size(id))
	delete(entries, id)
	if len(entries) == 0 {
		m.bytes.Add(-personSize(person))
		delete(s.people, person)
	}
	m.journal.entry(person, id, item{})
}

func (m *memory) indexed(people []string, id string) bool {
	for _, person := range people {
		s, now := m.lock(person)
		it, ok := s.people[person][id]
		s.mu.Unlock()
		if ok && it.ends > now {
			return true
		}
	}
	return false
}
