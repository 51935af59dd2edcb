//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package forward

import "syscall"

// watch prepares quiet. Control and not Read, because Read minds old deadlines.
func (c *conn) watch() {
	c.look = func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), c.byte1[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		c.silent = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	}
}

// quiet reports whether nothing waits in the socket, not even its end.
func (c *conn) quiet() bool {
	c.silent = false
	if c.raw == nil || c.raw.Control(c.look) != nil {
		return false
	}
	return c.silent
}
