package session

import (
	"context"
	"time"
)

// attempts are the sign-ins counted under one key, by id, in milliseconds. They
// are not kept in a file: a restart forgets them.
type attempts struct {
	at   map[string]int64
	ends int64
}

func (m *memory) Count(_ context.Context, key, id string, limit int, window time.Duration) (time.Duration, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	a := s.windows[key]
	if a == nil {
		a = &attempts{at: map[string]int64{}}
	}
	oldest := m.prune(a, now-window.Milliseconds())
	if _, again := a.at[id]; again {
		return 0, nil
	}
	if len(a.at) >= limit {
		return time.Duration(max(oldest+window.Milliseconds()-now, 1)) * time.Millisecond, nil
	}
	ends := now + window.Milliseconds()
	if err := m.grow(id, item{ends: ends}); err != nil {
		return 0, err
	}
	a.at[id], a.ends = now, ends
	s.windows[key] = a
	return 0, nil
}

// prune removes attempts at or before limit and returns the oldest that is left.
func (m *memory) prune(a *attempts, limit int64) int64 {
	oldest := int64(0)
	for id, at := range a.at {
		if at <= limit {
			m.uncount(a, id)
		} else if oldest == 0 || at < oldest {
			oldest = at
		}
	}
	return oldest
}

func (m *memory) uncount(a *attempts, id string) {
	if at, ok := a.at[id]; ok {
		m.shrink(id, item{ends: at})
		delete(a.at, id)
	}
}

func (m *memory) Uncount(_ context.Context, key, id string) error {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	if a := s.windows[key]; a != nil {
		m.uncount(a, id)
	}
	return nil
}

func (m *memory) Mark(_ context.Context, key string, ttl time.Duration) error {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	return m.set(s, key, item{ends: now + ttl.Milliseconds()})
}

func (m *memory) Marked(_ context.Context, keys ...string) (bool, error) {
	for _, key := range keys {
		s, now := m.lock(key)
		_, ok := s.get(key, now)
		s.mu.Unlock()
		if ok {
			return true, nil
		}
	}
	return false, nil
}

func (m *memory) Forget(_ context.Context, key string) error {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	m.unset(s, key)
	m.forget(s, key)
	return nil
}

func (m *memory) forget(s *memoryShard, key string) {
	if a := s.windows[key]; a != nil {
		for id := range a.at {
			m.uncount(a, id)
		}
		delete(s.windows, key)
	}
}
