package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/session/store"
)

// attempts are the attempts counted under one key, the oldest first, in
// milliseconds. They are not kept in a file: a restart forgets them. A key without
// attempts is not kept at all.
type attempts struct {
	list []counted
	ends int64
}

type counted struct {
	id      string
	at      int64
	decided bool
}

func (c counted) size() int64 { return int64(len(c.id) + attemptOverhead) }

func windowSize(key string) int64 { return int64(len(key) + windowOverhead) }

func (m *Store) Count(_ context.Context, key, id string, limit int, window time.Duration) (retry time.Duration, open bool, err error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	m.prune(s, key, now-window.Milliseconds())
	a := s.windows[key]
	if a != nil {
		if a.find(id) >= 0 {
			return 0, false, nil
		}
		if len(a.list) >= limit {
			return time.Duration(max(a.list[0].at+window.Milliseconds()-now, 1)) * time.Millisecond, a.open(now), nil
		}
	}
	one := counted{id: strings.Clone(id), at: now}
	size := one.size()
	if a == nil {
		size += windowSize(key)
	}
	if err := m.reserve(size); err != nil {
		return 0, false, err
	}
	if a == nil {
		a = &attempts{}
		s.windows[key] = a
	}
	a.list, a.ends = append(a.list, one), max(a.ends, now+window.Milliseconds())
	return 0, false, nil
}

// open reports whether one of them may still be taken back.
func (a *attempts) open(now int64) bool {
	since := now - store.OpenFor.Milliseconds()
	return slices.ContainsFunc(a.list, func(c counted) bool { return !c.decided && c.at >= since })
}

func (m *Store) Decide(_ context.Context, key, id string) error {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	if a := s.windows[key]; a != nil {
		if i := a.find(id); i >= 0 {
			a.list[i].decided = true
		}
	}
	return nil
}

func (a *attempts) find(id string) int {
	return slices.IndexFunc(a.list, func(c counted) bool { return c.id == id })
}

// prune removes attempts at or before limit.
func (m *space) prune(s *shard, key string, limit int64) {
	a := s.windows[key]
	for a != nil && len(a.list) > 0 && a.list[0].at <= limit {
		a = m.uncount(s, key, 0)
	}
}

// uncount removes one attempt, and with the last one the key. It returns what is
// left, nil for nothing.
func (m *space) uncount(s *shard, key string, i int) *attempts {
	a := s.windows[key]
	m.bytes.Add(-a.list[i].size())
	if a.list = slices.Delete(a.list, i, i+1); len(a.list) > 0 {
		return a
	}
	m.bytes.Add(-windowSize(key))
	delete(s.windows, key)
	return nil
}

func (m *Store) Uncount(_ context.Context, key, id string) error {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	if a := s.windows[key]; a != nil {
		if i := a.find(id); i >= 0 {
			m.uncount(s, key, i)
		}
	}
	return nil
}

func (m *Store) Mark(_ context.Context, key string, ttl time.Duration) error {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	return m.add(s, key, Item{Ends: now + ttl.Milliseconds()})
}

func (m *Store) Marked(_ context.Context, keys ...string) (bool, error) {
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

func (m *Store) Forget(_ context.Context, key string) error {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	m.unset(s, key)
	m.forget(s, key)
	return nil
}

func (m *space) forget(s *shard, key string) {
	for s.windows[key] != nil {
		m.uncount(s, key, len(s.windows[key].list)-1)
	}
}
