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
	if err := m.grow(id, it); err != nil {
		return 0, err
	}
	entries := s.people[person]
	if entries == nil {
		entries = map[string]item{}
		s.people[person] = entries
	}
	m.shrink(id, entries[id])
	entries[id] = it
	m.journal.entry(person, id, it)
	return len(entries), nil
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
	m.shrink(id, it)
	delete(entries, id)
	if len(entries) == 0 {
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
