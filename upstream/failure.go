package upstream

import (
	"errors"
	"fmt"
	"syscall"
)

// What can go wrong with an API, beside its refusing somebody. None of these is
// the person's fault, and none may count as a failed sign-in or end a session.
var (
	// ErrUnreachable says that no whole answer came: connection refused, name
	// not found, TLS failed, connection broken.
	ErrUnreachable = errors.New("upstream unreachable")
	// ErrTimeout says that the answer did not come in time.
	ErrTimeout = errors.New("upstream did not answer in time")
	// ErrInvalid says that the answer cannot be used, or that a request cannot be made of what is known.
	ErrInvalid = errors.New("upstream answer is unusable")
)

// ErrBusy says that this side had no connection for a call: all that may be open are in
// use, or the process is out of descriptors. The API was not asked.
var ErrBusy = errors.New("upstream: no connection is free")

// ErrDepleted says that this process has nothing to open a connection with.
var ErrDepleted = fmt.Errorf("%w: out of descriptors, ports or memory", ErrBusy)

// IsDepleted reports whether nothing was dialled because this process, or its machine,
// is out of descriptors, ports or memory.
func IsDepleted(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}
