package gate

import (
	"sync"
	"time"
)

// idle is whether a connection waits for a request, so that it can be ended then and only
// then.
type idle struct {
	mu      sync.Mutex
	waiting bool
	ended   bool // while it waited
}

func (i *idle) begin() {
	i.mu.Lock()
	i.waiting = true
	i.mu.Unlock()
}

// over ends the wait, and reports whether somebody else had ended it: then the deadline of
// reads has passed.
func (i *idle) over() (ended bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waiting = false
	return i.ended
}

// end makes a wait that is under way return. The lock is held meanwhile, so that it does not
// hit a request that came first.
func (i *idle) end(c *Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waiting {
		i.ended = true
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// EndIdle ends the connections that wait for a request, now and from now on.
func (l *Listener) EndIdle() {
	l.ending.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.idle.end(c)
	}
}
