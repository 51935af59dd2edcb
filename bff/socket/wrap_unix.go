//go:build unix

package socket

import (
	"net"
	"syscall"
)

// Wrap returns c with quicker Read and Write, where c is a connection over TCP or a Unix
// socket; else c itself. What else c does, it does as before. c must not be used besides.
func Wrap(c net.Conn) net.Conn {
	switch c := c.(type) {
	case *net.TCPConn:
		if s := open(c); s != nil {
			return &tcp{c, s}
		}
	case *net.UnixConn:
		if s := open(c); s != nil {
			return &local{c, s}
		}
	}
	return c
}

func open(c syscall.Conn) *socket {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil // closed
	}
	return newSocket(raw)
}

type tcp struct {
	*net.TCPConn
	socket *socket
}

func (c *tcp) Read(p []byte) (int, error) {
	if len(p) > most {
		return c.TCPConn.Read(p)
	}
	return c.socket.read(p)
}

func (c *tcp) Write(p []byte) (int, error) {
	if len(p) > most {
		return c.TCPConn.Write(p)
	}
	return c.socket.write(p)
}

// ReadLate implements http1.LateReader.
func (c *tcp) ReadLate(take func() ([]byte, error), free func()) (int, error) {
	return c.socket.readLate(take, free)
}

type local struct {
	*net.UnixConn
	socket *socket
}

func (c *local) Read(p []byte) (int, error) {
	if len(p) > most {
		return c.UnixConn.Read(p)
	}
	return c.socket.read(p)
}

func (c *local) Write(p []byte) (int, error) {
	if len(p) > most {
		return c.UnixConn.Write(p)
	}
	return c.socket.write(p)
}

// ReadLate implements http1.LateReader.
func (c *local) ReadLate(take func() ([]byte, error), free func()) (int, error) {
	return c.socket.readLate(take, free)
}
