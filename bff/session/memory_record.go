package session

import (
	"context"
	"time"
)

func (m *memory) Load(_ context.Context, key string) ([]byte, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key, now)
	if !ok {
		return nil, nil
	}
	return it.data, nil // never changed in place
}

func (m *memory) Tombstone(_ context.Context, key string) (Reason, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key+tombstoneSuffix, now)
	if !ok {
		return "", nil
	}
	return Reason(it.data), nil
}

func (m *memory) Create(_ context.Context, key string, value []byte, ttl time.Duration) error {
	s, now := m.lock(key)
	_, again := s.items[key]
	err := m.add(s, key, item{data: value, ends: now + ttl.Milliseconds()})
	if err == nil && !again { // keys of records are random: the file never had this one
		m.journal.created(key)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := m.journal.flush(); err != nil {
		s.mu.Lock()
		m.unset(s, key)
		s.mu.Unlock()
		return err
	}
	return nil
}

func (m *memory) Touch(_ context.Context, key string, t Touch) (Touched, error) {
	s, now := m.lock(key)
	it, ok := s.get(key, now)
	ends := min(now+t.Idle.Milliseconds(), t.Ends.UnixMilli())
	if !ok || ends <= now {
		s.mu.Unlock()
		return Touched{}, nil
	}
	seen := time.UnixMilli(now)
	data := append(appendStamp(make([]byte, 0, len(it.data)), seen), it.data[stampLen:]...)
	m.put(s, key, item{data: data, ends: ends})
	s.mu.Unlock()
	return Touched{Seen: seen, Indexed: m.indexed(t.People, t.ID)}, nil
}

func (m *memory) Replace(_ context.Context, key string, r Swap) (Outcome, error) {
	outcome := m.replace(key, r)
	if outcome == Gone {
		return Gone, nil
	}
	if outcome == Done {
		m.send(r.Note)
	}
	// Also at another generation: it may be our own write, which did not reach the
	// disk when it was tried before.
	return outcome, m.journal.flush()
}

func (m *memory) replace(key string, r Swap) Outcome {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key, now)
	if !ok {
		return Gone
	}
	if generationOf(it.data) != r.At {
		return OtherGeneration
	}
	data := append(append(make([]byte, 0, stampLen+len(r.Sealed)), it.data[:stampLen]...), r.Sealed...)
	m.put(s, key, item{data: data, ends: it.ends})
	m.unlease(s, key, r.Owner, now)
	return Done
}

func (m *memory) Remove(_ context.Context, key string, r Removal) ([]byte, Outcome, error) {
	it, outcome := m.remove(key, r)
	if outcome != Done {
		return nil, outcome, nil
	}
	if err := m.journal.flush(); err != nil {
		m.restore(key, it)
		return nil, Done, err
	}
	m.send(r.Note)
	return it.data, Done, nil
}

// restore takes back a removal that could not be written: after a restart the
// session would be there, so it must not be said to have ended.
func (m *memory) restore(key string, it item) {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	m.put(s, key, it)
	m.unset(s, key+tombstoneSuffix)
}

func (m *memory) remove(key string, r Removal) (item, Outcome) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key, now)
	if !ok {
		return item{}, Gone
	}
	if r.At != 0 && generationOf(it.data) != r.At {
		return item{}, OtherGeneration
	}
	m.unset(s, key)
	m.put(s, key+tombstoneSuffix, item{data: []byte(r.Reason), ends: now + tombstoneTTL.Milliseconds()})
	return it, Done
}

func (m *memory) Seen(_ context.Context, keys []string) ([]time.Time, error) {
	seen := make([]time.Time, len(keys))
	for i, key := range keys {
		s, now := m.lock(key)
		if it, ok := s.get(key, now); ok {
			seen[i], _ = stampOf(it.data)
		}
		s.mu.Unlock()
	}
	return seen, nil
}

func (m *memory) Lease(_ context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	var value []byte
	if it, ok := s.get(key, now); ok {
		value = it.data
	}
	if it, ok := s.get(key+leaseSuffix, now); ok && string(it.data) != owner {
		return false, value, nil
	}
	m.put(s, key+leaseSuffix, item{data: []byte(owner), ends: now + ttl.Milliseconds()})
	return true, value, nil
}

func (m *memory) Unlease(_ context.Context, key, owner string, note Note) error {
	s, now := m.lock(key)
	freed := m.unlease(s, key, owner, now)
	s.mu.Unlock()
	if freed {
		m.send(note)
	}
	return nil
}

func (m *memory) unlease(s *memoryShard, key, owner string, now int64) bool {
	it, ok := s.get(key+leaseSuffix, now)
	if !ok || owner == "" || string(it.data) != owner {
		return false
	}
	m.unset(s, key+leaseSuffix)
	return true
}
