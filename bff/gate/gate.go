// Package gate stands at the public listener, and lets only well-formed requests in.
//
// It reads each request's head itself (package http1), refuses whatever is malformed with
// a fixed answer that repeats no byte of it, and hands what is left to [Options.Serve], one
// [Request] of a connection at a time, so that pipelined ones are answered in order. No
// other web server parses anything: target, Host, framing, cookies and all other fields
// are read from [Request] only, and so is the body, under the gate's own deadlines.
//
// Whoever answers while a body is still coming calls [Request.Finish]; the connection
// ends then. The gate half-closes it and reads on for a moment, or the peer's TCP might
// throw the answer away (RFC 9112 §9.6).
package gate

import (
	"errors"
	"io"
	"net/netip"
	"time"
)

// Options are the bounds of one connection; those that are numbers must be positive.
type Options struct {
	// Header is the most bytes of a head; more is answered 431.
	Header int
	// HeaderTimeout is the time from a head's first byte to its last; longer is answered 408.
	HeaderTimeout time.Duration
	// BodyIdle is the silence allowed inside a request body, and the time one write may take.
	BodyIdle time.Duration
	// KeepAlive is how long a connection without a request is kept.
	KeepAlive time.Duration
	// Methods are known besides the usual ones; others are answered 405. Never CONNECT or
	// TRACE.
	Methods []string
	// Serve answers a request, and reports whether the connection may go on. It returns once
	// the answer is out and nothing of the request is used any more; over a tunnel, once that
	// has ended. It must be set.
	Serve func(*Request) (goesOn bool)
	// Refused, if set, hears of every request that the gate answered itself.
	Refused func(Refusal)
	// Failing, if set, hears why no connection can be taken in just now, as when the
	// process has no file descriptors left. The gate goes on trying.
	Failing func(error)
	// Faulted, if set, hears of a panic while a connection was served: the stack, which
	// holds nothing of what the panic said. The connection has ended.
	Faulted func(stack []byte)
}

// Refusal is a request that never came in.
type Refusal struct {
	Peer   netip.AddrPort // the other end of the connection
	Status int            // of the fixed answer
	Code   string         // of the problem, as Coatcheck-Error says it
	Cause  error          // for the log only
}

// What can go wrong with a body.
var (
	// ErrBodyTooLarge says that a body is over [Request.LimitBody].
	ErrBodyTooLarge = errors.New("gate: request body too large")
	// ErrBodyTimeout says that a body fell silent for longer than Options.BodyIdle.
	ErrBodyTimeout = errors.New("gate: request body fell silent")
	// ErrBodyBroken says that a body broke off or is badly framed.
	ErrBodyBroken = errors.New("gate: request body broken")
)

// BodyError is what a failed read of a body means: the gate's own errors say more than
// an early end does, which is [ErrBodyBroken].
func BodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return ErrBodyBroken
	}
	return err
}
