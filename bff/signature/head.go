package signature

import (
	"time"
)

// Head holds what is known before the body against the rules and handshakes: proofs
// and values in the head are there, once, and of the right form, times are near,
// lines that need no body hold, and so do proofs that cover none of it.
//
// It returns how many bytes of a body may be read, or a [*RefusedError]; then no
// byte of the body need be read. The head's Length is held against that bound.
func (v *Verifier) Head(c *Call, now time.Time) (limit int64, err error) {
	_, err = v.any(c, false, now)
	refused, _ := err.(*RefusedError) //nolint:errorlint // our own, never wrapped
	switch {
	case refused == nil || v.anyOpen(c, now):
		limit = v.maxSigned
	case v.mayGreet(c):
		limit = min(MaxHandshake, v.maxSigned)
	default:
		return 0, refused
	}
	if c.Length > limit {
		return 0, &RefusedError{Reason: TooLarge, What: "max_signed"}
	}
	return limit, nil
}

// anyOpen reports whether a rule needs no more than the body.
func (v *Verifier) anyOpen(head *Call, now time.Time) bool {
	for _, r := range v.rules {
		if refused := r.verify(v.reading(head, false), now).run(); refused != nil && refused.Reason == needsBody {
			return true
		}
	}
	return false
}
