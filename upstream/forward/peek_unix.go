//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package forward

import "coatcheck/bff/socket"

// watch prepares quiet. Control and not Read, because Read minds old deadlines.
func (c *conn) watch() {
	c.look = func(fd uintptr) { c.silent = socket.Quiet(fd) }
}

// quiet reports whether nothing waits in the socket, not even its end.
func (c *conn) quiet() bool {
	c.silent = false
	if c.raw == nil || c.raw.Control(c.look) != nil {
		return false
	}
	return c.silent
}
