package gate

import "sync"

// invitation is the "100 Continue" that a client waits for before it sends a body (RFC 9110
// §10.1.1). A body that streams is read on another goroutine than the one that writes the
// answer, and an API may answer before anything was read: the invitation goes out in front
// of the answer or not at all.
type invitation struct {
	expected bool // set before anybody reads or answers
	mu       sync.Mutex
	due      bool
}

// begin is called before anybody reads or answers.
func (i *invitation) begin(expected bool) { i.expected, i.due = expected, expected }

// isDue reports whether the client still waits.
func (i *invitation) isDue() bool {
	if !i.expected {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.due
}

// send invites the client, unless it has begun to send, or the answer has begun. The lock
// is held meanwhile, so that no answer overtakes it.
func (i *invitation) send(c *Conn) error {
	if !i.expected {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.due {
		return nil
	}
	i.due = false
	if c.in.Len() > 0 {
		return nil
	}
	_, err := c.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
	return err
}

// withdraw is called before the first byte of the answer.
func (i *invitation) withdraw() {
	if i.expected {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.due = false
	}
}
