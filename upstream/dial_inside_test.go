package upstream

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// What this process lacks is distinguished from what the API refuses.
func TestNotOpen(t *testing.T) {
	wrapped := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)}
	}
	for errno, busy := range map[syscall.Errno]bool{syscall.EMFILE: true, syscall.ENFILE: true, syscall.EADDRNOTAVAIL: true, syscall.ENOBUFS: true, syscall.ENOMEM: true,
		syscall.ECONNREFUSED: false, syscall.ECONNRESET: false, syscall.EHOSTUNREACH: false, syscall.ENETUNREACH: false, syscall.ETIMEDOUT: false} {
		err := NotOpen(t.Context(), wrapped(errno))
		if errors.Is(err, ErrBusy) != busy || errors.Is(Unreachable(err), ErrUnreachable) == busy {
			t.Errorf("%v: %v", errno, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NotOpen(gone, wrapped(syscall.EMFILE)); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller left: %v", err)
	}
}
