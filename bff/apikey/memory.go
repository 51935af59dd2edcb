package apikey

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a [Store] that ends with the process. The zero value is ready.
type Memory struct {
	mu      sync.Mutex
	version uint64
	records map[string]Record
}

// Version implements [Store].
func (m *Memory) Version(context.Context) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version, nil
}

// All implements [Store].
func (m *Memory) All(context.Context) (uint64, []Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version, slices.Collect(maps.Values(m.records)), nil
}

// Add implements [Store].
func (m *Memory) Add(_ context.Context, r Record, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(r, most)
}

func (m *Memory) add(r Record, most int) error {
	if len(m.records) >= most {
		return ErrFull
	}
	if m.records == nil {
		m.records = map[string]Record{}
	}
	m.records[r.ID] = r
	m.version++
	return nil
}

// Rotate implements [Store].
func (m *Memory) Rotate(_ context.Context, id string, end time.Time, successor Record, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.records[id]
	if !ok {
		return ErrUnknown
	}
	if err := m.add(successor, most); err != nil {
		return err
	}
	m.records[id] = old.rotated(end, successor.ID)
	return nil
}

// Remove implements [Store].
func (m *Memory) Remove(_ context.Context, ids ...string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.remove(ids), nil
}

// Prune implements [Store].
func (m *Memory) Prune(_ context.Context, ends map[string]time.Time, kept time.Duration) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := time.Now().Add(-kept)
	var old []string
	for id, end := range ends {
		if end.Before(before) {
			old = append(old, id)
		}
	}
	return m.remove(old), nil
}

func (m *Memory) remove(ids []string) int {
	n := 0
	for _, id := range ids {
		if _, ok := m.records[id]; ok {
			delete(m.records, id)
			n++
		}
	}
	if n > 0 {
		m.version++
	}
	return n
}

// Use implements [Store].
func (m *Memory) Use(_ context.Context, at map[string]time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, used := range at {
		if r, ok := m.records[id]; ok && used.After(r.LastUsed) {
			r.LastUsed = used
			m.records[id] = r
		}
	}
	return nil
}
