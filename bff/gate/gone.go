package gate

import (
	"sync"
	"time"
)

// grace is how long a browser that has left, or has closed its sending half, is still
// worked for. Many a small client half-closes behind its request and reads the answer.
const grace = 100 * time.Millisecond

// work is what a connection is doing for a browser, as far as a browser's leaving
// matters to it.
type work struct {
	mu   sync.Mutex
	left func() // called when the browser leaves; nil: nobody needs to know
	turn uint32 // counts calls of Working
	gone bool   // the browser has closed its side
}

// Working says that left is to be called, at most once and from another goroutine,
// when the browser leaves before [Conn.Idle]. left must not block. A browser that
// closes only its sending half counts as gone, as at nginx.
func (c *Conn) Working(left func()) {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	c.work.left = left
	c.work.turn++
	if c.work.gone {
		tellSoon(c)
	}
}

// Idle says that nobody needs to know any more. After it returned left is not
// running, and never will be.
func (c *Conn) Idle() {
	c.work.mu.Lock()
	c.work.left = nil
	c.work.mu.Unlock()
}

// gone takes note that the browser closed its side. It may be called again.
func (c *Conn) gone() {
	c.work.mu.Lock()
	defer c.work.mu.Unlock()
	if c.work.gone {
		return
	}
	c.work.gone = true
	if c.work.left != nil {
		tellSoon(c)
	}
}

// tellSoon is called with work.mu held. Its timer concerns the work of now only.
func tellSoon(c *Conn) {
	turn := c.work.turn
	time.AfterFunc(grace, func() {
		var fault error
		defer c.contain(&fault)
		c.work.tell(turn)
	})
}

// tell calls left, if the work is still the one of that turn.
func (w *work) tell(turn uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if left := w.left; left != nil && w.turn == turn {
		w.left = nil
		left()
	}
}
