package gate

import "sync"

// patrol is how often connections at work are looked at: a browser that leaves is
// noticed within two rounds, and a call that is shorter than one costs nothing.
const patrol = 100 // milliseconds

// work is what a connection is doing for a browser, as far as a browser's leaving
// matters to it.
type work struct {
	mu      sync.Mutex
	left    func() // told when the browser left; nil: nothing to tell
	round   uint32 // the watcher's round in which the work was first seen, 0: not yet
	watched bool
}

// Working says that left is to be called, at most once and from another goroutine,
// when the browser leaves before [Conn.Idle]. left must not block. A browser that
// closes only its sending half counts as gone, as at nginx.
func (c *Conn) Working(left func()) {
	c.work.mu.Lock()
	c.work.left, c.work.round = left, 0
	c.work.mu.Unlock()
}

// Idle says that nothing is to be told any more. After it returned left is not
// running, and never will be.
func (c *Conn) Idle() {
	c.work.mu.Lock()
	c.work.left = nil
	c.work.mu.Unlock()
}

// gone tells who works for this connection that the browser left.
func (c *Conn) gone() {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	c.work.watched = false
	if left := c.work.left; left != nil {
		c.work.left = nil
		left()
	}
}

// due reports whether the connection has been at work for a whole round and is not
// being watched yet.
func (c *Conn) due(round uint32) bool {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	switch {
	case c.work.left == nil || c.work.watched:
		return false
	case c.work.round == 0:
		c.work.round = round
		return false
	}
	c.work.watched = true
	return true
}
