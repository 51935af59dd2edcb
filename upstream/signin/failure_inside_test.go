package signin

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"coatcheck/upstream"
)

// What this process lacks is told apart from what the API refuses.
func TestWhyNotReached(t *testing.T) {
	for errno, busy := range map[syscall.Errno]bool{syscall.EMFILE: true, syscall.ENFILE: true, syscall.EADDRNOTAVAIL: true, syscall.ENOBUFS: true, syscall.ENOMEM: true,
		syscall.ECONNREFUSED: false, syscall.ECONNRESET: false, syscall.EHOSTUNREACH: false, syscall.ENETUNREACH: false, syscall.ETIMEDOUT: false} {
		err := failure(t.Context(), &dialError{&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)}})
		if errors.Is(err, upstream.ErrBusy) != busy || errors.Is(err, upstream.ErrUnreachable) == busy && errno != syscall.ETIMEDOUT {
			t.Errorf("%v: %v", errno, err)
		}
	}
}
