package server

import (
	"context"
	"errors"
	"sync"

	"coatcheck/bff/session"
)

// tether ties a stream to its session: when the session ends, here or on another
// replica, the stream does.
type tether struct {
	mu    sync.Mutex
	abort func()
}

func (t *tether) cut(session.Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.abort != nil {
		t.abort()
	}
}

// tie ties the answer that is about to stream. The session is looked at once more
// behind it, so that no sign-out falls between the first look and the tie.
func (x *exchange) tie() error {
	if x.session == nil {
		return nil
	}
	t := &tether{abort: x.abort}
	stop := x.server.manager.Watch(x.ticket, t.cut)
	x.untie = func() {
		stop()
		t.mu.Lock()
		t.abort = nil
		t.mu.Unlock()
	}
	_, err := x.server.manager.Look(context.Background(), x.frontend.name, x.ticket)
	var dead session.Dead
	if errors.As(err, &dead) {
		return err
	}
	return nil // a store that is away ends no stream
}
