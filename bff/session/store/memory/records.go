package memory

import (
	"context"
	"time"

	"coatcheck/bff/session/store"
)

func (m *Store) Load(_ context.Context, key string) ([]byte, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key, now)
	if !ok {
		return nil, nil
	}
	return it.Data, nil // never changed in place
}

func (m *Store) Tombstone(_ context.Context, key string) (string, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key+store.TombstoneSuffix, now)
	if !ok {
		return "", nil
	}
	return string(it.Data), nil
}

func (m *Store) Create(_ context.Context, key string, value []byte, ttl time.Duration) error {
	s, now := m.lock(key)
	if _, there := s.get(key, now); there {
		s.mu.Unlock()
		return nil
	}
	_, again := s.items[key]
	err := m.add(s, key, Item{Data: value, Ends: now + ttl.Milliseconds()})
	if err == nil && !again { // keys of records are random: the file never had this one
		m.journal.Created(key)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := m.journal.Flush(); err != nil {
		s.mu.Lock()
		m.unset(s, key)
		s.mu.Unlock()
		return err
	}
	return nil
}

func (m *Store) Touch(_ context.Context, key string, t store.Touch) (store.Touched, error) {
	s, now := m.lock(key)
	it, ok := s.get(key, now)
	ends := min(now+t.Idle.Milliseconds(), t.Ends.UnixMilli())
	if !ok || ends <= now {
		s.mu.Unlock()
		return store.Touched{}, nil
	}
	seen := time.UnixMilli(now)
	data := append(store.AppendStamp(make([]byte, 0, len(it.Data)), seen), it.Data[store.StampLen:]...)
	m.put(s, key, Item{Data: data, Ends: ends})
	s.mu.Unlock()
	return store.Touched{Seen: seen, Indexed: m.indexed(t.Tables, t.ID)}, nil
}

func (m *Store) Replace(_ context.Context, key string, r store.Swap) (store.Outcome, error) {
	outcome := m.replace(key, r)
	if outcome == store.Gone {
		return store.Gone, nil
	}
	if outcome == store.Done {
		m.listeners.send(r.Note)
	}
	// Also at another generation: it may be our own write, which did not reach the
	// disk when it was tried before.
	return outcome, m.journal.Flush()
}

func (m *space) replace(key string, r store.Swap) store.Outcome {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key, now)
	if !ok {
		return store.Gone
	}
	if store.GenerationOf(it.Data) != r.At {
		return store.OtherGeneration
	}
	data := append(append(make([]byte, 0, store.StampLen+len(r.Sealed)), it.Data[:store.StampLen]...), r.Sealed...)
	m.put(s, key, Item{Data: data, Ends: it.Ends})
	m.unlease(s, key, r.Owner, now)
	return store.Done
}

func (m *Store) Remove(_ context.Context, key string, r store.Removal) ([]byte, store.Outcome, error) {
	it, outcome := m.remove(key, r)
	if outcome != store.Done {
		return nil, outcome, nil
	}
	if err := m.journal.Flush(); err != nil {
		m.restore(key, it)
		return nil, store.Done, err
	}
	m.listeners.send(r.Note)
	return it.Data, store.Done, nil
}

// restore takes back a removal that could not be written: after a restart the
// session would be there, so it must not be said to have ended.
func (m *space) restore(key string, it Item) {
	s, _ := m.lock(key)
	defer s.mu.Unlock()
	m.put(s, key, it)
	m.unset(s, key+store.TombstoneSuffix)
}

func (m *space) remove(key string, r store.Removal) (Item, store.Outcome) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	it, ok := s.get(key, now)
	if !ok {
		return Item{}, store.Gone
	}
	if r.At != 0 && store.GenerationOf(it.Data) != r.At {
		return Item{}, store.OtherGeneration
	}
	m.unset(s, key)
	m.put(s, key+store.TombstoneSuffix, Item{Data: []byte(r.Reason), Ends: now + store.TombstoneTTL.Milliseconds()})
	return it, store.Done
}

func (m *Store) Seen(_ context.Context, keys []string) ([]time.Time, error) {
	seen := make([]time.Time, len(keys))
	for i, key := range keys {
		s, now := m.lock(key)
		if it, ok := s.get(key, now); ok {
			seen[i], _ = store.StampOf(it.Data)
		}
		s.mu.Unlock()
	}
	return seen, nil
}

func (m *Store) Lease(_ context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	s, now := m.lock(key)
	defer s.mu.Unlock()
	var value []byte
	if it, ok := s.get(key, now); ok {
		value = it.Data
	}
	if it, ok := s.get(key+store.LeaseSuffix, now); ok && string(it.Data) != owner {
		return false, value, nil
	}
	m.put(s, key+store.LeaseSuffix, Item{Data: []byte(owner), Ends: now + ttl.Milliseconds()})
	return true, value, nil
}

func (m *Store) Unlease(_ context.Context, key, owner string, note store.Note) error {
	s, now := m.lock(key)
	freed := m.unlease(s, key, owner, now)
	s.mu.Unlock()
	if freed {
		m.listeners.send(note)
	}
	return nil
}

func (m *space) unlease(s *shard, key, owner string, now int64) bool {
	it, ok := s.get(key+store.LeaseSuffix, now)
	if !ok || owner == "" || string(it.Data) != owner {
		return false
	}
	m.unset(s, key+store.LeaseSuffix)
	return true
}

// Estimate implements [store.Records]; it counts.
func (m *Store) Estimate(_ context.Context, isRecord func(string) bool) (n int, err error) {
	now := m.clock.Wall().UnixMilli()
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for key, it := range s.items {
			if it.Ends > now && isRecord(key) {
				n++
			}
		}
		s.mu.Unlock()
	}
	return n, nil
}
