//go:build unix

package demo

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// sorts: all hosts of the demo come by one port.
const sorts = true

// firstBytes waits for the first bytes of c, and returns them without taking them
// (MSG_PEEK of recv(2)); empty where none come in time.
func firstBytes(c net.Conn, wait time.Duration) []byte {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil || c.SetReadDeadline(time.Now().Add(wait)) != nil {
		return nil
	}
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	b, n := make([]byte, 4096), 0
	_ = raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), b, syscall.MSG_PEEK)
		return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	return b[:max(n, 0)]
}
