package upstream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// What can go wrong with an API, beside its refusing somebody. None of these is
// the person's fault, and none may count as a failed sign-in or end a session.
var (
	// ErrUnreachable says that no whole response came: connection refused, name
	// not found, TLS failed, connection broken.
	ErrUnreachable = errors.New("upstream unreachable")
	// ErrTimeout says that the response did not come in time.
	ErrTimeout = errors.New("upstream did not answer in time")
	// ErrInvalid says that the response cannot be used, or that a request cannot be
	// made of what is known.
	ErrInvalid = errors.New("upstream answer is unusable")
	// ErrBusy says that this side had no connection for a call: all that may be open
	// are in use, or the process is out of descriptors. The API was not asked.
	ErrBusy = errors.New("upstream: no connection is free")
)

// ErrDepleted is the [ErrBusy] of a process that has nothing to open a connection with.
var ErrDepleted = fmt.Errorf("%w: out of descriptors, ports or memory", ErrBusy)

// isDepleted reports whether nothing was dialled because this process, or its machine,
// is out of descriptors, ports or memory.
func isDepleted(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}

// Unreachable is [ErrUnreachable] with the reason of err; nil where err is no reason
// why an API was not reached, or its response not read to the end.
func Unreachable(err error) error {
	reason := Reason(err)
	if reason == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, reason)
}

// ErrForbiddenAddress says that the address behind a name may not be dialled.
var ErrForbiddenAddress = errors.New("upstream: address is not allowed")

// Reason says in our own words why no connection stood or why it broke, "" where
// neither is what err says. It holds nothing of err's text: a certificate's bytes are as
// foreign as any response's.
func Reason(err error) string {
	var name *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	var dial *dialError
	var proxy errProxy
	switch {
	case errors.Is(err, ErrForbiddenAddress):
		return "address is not allowed"
	case errors.As(err, &proxy):
		return proxy.reason
	case errors.As(err, &name):
		return "name not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &untrusted):
		return "certificate is not trusted"
	case errors.As(err, &record):
		return "the server does not speak TLS: http:// instead of https://?"
	case errors.As(err, &op) && op.Op == "remote error":
		return "the server refused the TLS handshake"
	case errors.As(err, &dial):
		return "no connection"
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection broken"
	}
	return ""
}
