//go:build unix && (!linux || race)

package socket

import (
	"errors"
	"syscall"
)

func read(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(int(fd), p)
	return n, number(err)
}

func write(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Write(int(fd), p)
	return n, number(err)
}

// Quiet reports whether nothing waits to be read from a socket, not even its end. It takes
// nothing.
func Quiet(fd uintptr) bool {
	_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return number(err) == syscall.EAGAIN
}

func number(err error) (n syscall.Errno) {
	_ = errors.As(err, &n) // the calls of package syscall fail with nothing else
	return n
}
