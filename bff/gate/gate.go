// Package gate stands between the public listener and the web server, and lets
// only well-formed requests through.
//
// It reads each request's head itself (package http1), refuses whatever is
// malformed with a fixed answer that repeats no byte of it, and then shows the web
// server one of a few constant heads: method, version, and whether the connection
// goes on. So the server has nothing to misread: target, Host, framing, cookies and
// all other fields are read from [Request] only. The body is read from
// there too, under the gate's own deadlines; the server behind sees none.
//
// A connection carries one [Request] at a time. What Read hands out never spans
// two requests, so pipelined ones are answered in order. Whoever answers while a
// body is still coming calls [Request.Finish] and closes: the gate then half-closes
// and reads on for a moment, or the peer's TCP might throw the answer away
// (RFC 9112 §9.6).
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
	// First, if set, is offered every request before the web server is, and may answer it
	// itself.
	First func(*Request) Turn
	// Lost, if set, answers a request that First passed to the web server, and that the web
	// server closed the connection on before [Request.Taken], as it does with idle ones at
	// its end.
	Lost func(*Request)
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
