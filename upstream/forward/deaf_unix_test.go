//go:build unix

package forward_test

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// deafListener listens with the smallest backlog and never accepts.
func deafListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		err = syscall.Listen(fd, 0)
	}
	if err != nil {
		t.Fatal(os.NewSyscallError("listen", err))
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	local := name.(*syscall.SockaddrInet4)
	return (&net.TCPAddr{IP: local.Addr[:], Port: local.Port}).String()
}
