package memory

import (
	"context"
	"sync"

	"coatcheck/bff/session/store"
)

// listener is one Manager that listens on the store of its process.
type listener struct {
	channel string
	hear    func(payload string)
}

// Listen implements [store.Events]. Nothing is ever lost here, so there is no gap but
// the one at the start.
func (m *Store) Listen(ctx context.Context, channel string, l store.Listener) {
	one := &listener{channel: channel, hear: l.Message}
	m.listeners.add(one)
	l.Gap()
	<-ctx.Done()
	m.listeners.remove(one)
}

// listeners are all who listen.
type listeners struct {
	mu sync.Mutex
	by map[*listener]struct{}
}

func (m *listeners) add(one *listener) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[*listener]struct{}{}
	}
	m.by[one] = struct{}{}
}

func (m *listeners) remove(one *listener) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.by, one)
}

// send hands note to everyone who listens, in the sender's goroutine.
func (m *listeners) send(note store.Note) {
	if note.Channel == "" {
		return
	}
	m.mu.Lock()
	var hear []func(string)
	for l := range m.by {
		if l.channel == note.Channel {
			hear = append(hear, l.hear)
		}
	}
	m.mu.Unlock()
	for _, f := range hear {
		f(note.Payload)
	}
}
