package memory

import (
	"context"

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
	m.mu.Lock()
	m.listeners[one] = struct{}{}
	m.mu.Unlock()
	l.Gap()
	<-ctx.Done()
	m.mu.Lock()
	delete(m.listeners, one)
	m.mu.Unlock()
}

// send hands note to everyone who listens, in the sender's goroutine.
func (m *Store) send(note store.Note) {
	if note.Channel == "" {
		return
	}
	m.mu.Lock()
	var hear []func(string)
	for l := range m.listeners {
		if l.channel == note.Channel {
			hear = append(hear, l.hear)
		}
	}
	m.mu.Unlock()
	for _, f := range hear {
		f(note.Payload)
	}
}
