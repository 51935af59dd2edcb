package session

import "context"

// memoryListener is one Manager that listens on the store of its process.
type memoryListener struct {
	channel string
	hear    func(payload string)
}

// Listen implements [Store]. Nothing is ever lost here, so there is no gap but
// the one at the start.
func (m *memory) Listen(ctx context.Context, channel string, l Listener) {
	listener := &memoryListener{channel: channel, hear: l.Message}
	m.mu.Lock()
	m.listeners[listener] = struct{}{}
	m.mu.Unlock()
	l.Gap()
	<-ctx.Done()
	m.mu.Lock()
	delete(m.listeners, listener)
	m.mu.Unlock()
}

// send hands note to everyone who listens, in the sender's goroutine.
func (m *memory) send(note Note) {
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
