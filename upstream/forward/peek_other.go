//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package forward

import "time"

// restless is how long a connection may have been idle and still be believed.
const restless = time.Second

func (c *conn) watch() {}

// quiet reports whether nothing waits in the socket, not even its end. Without a
// way to look only, it reads: what comes is what nobody asked for.
func (c *conn) quiet() bool {
	if time.Since(c.since) < restless {
		return true
	}
	c.unroll()
	if c.socket.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return false
	}
	_, err := c.socket.Read(c.byte1[:])
	return isTimeout(err)
}
