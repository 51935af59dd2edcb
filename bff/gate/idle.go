package gate

import (
	"sync/atomic"
	"time"
)

// idle is whether a connection waits for a request, so that it can be ended then and only
// then.
type idle struct{ state atomic.Int32 }

const (
	busy int32 = iota
	waiting
	ended // while it waited
)

func (i *idle) begin() { i.state.Store(waiting) }

// over reports whether the wait ended with a request.
func (i *idle) over() bool { return i.state.CompareAndSwap(waiting, busy) }

// end reports whether there was a wait to be ended.
func (i *idle) end() bool { return i.state.CompareAndSwap(waiting, ended) }

// EndIdle ends the connections that wait for a request, now and from now on.
func (l *Listener) EndIdle() {
	l.ending.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.idle.end() {
			_ = c.SetReadDeadline(time.Unix(1, 0))
		}
	}
}
