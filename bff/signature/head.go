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
	open, refused := v.head(c, now)
	switch {
	case open:
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

// head reports whether a rule holds, or needs no more than the body; and else why not.
func (v *Verifier) head(c *Call, now time.Time) (open bool, first *RefusedError) {
	for i, r := range v.rules {
		refused := r.verify(v.reading(c, false), now).run()
		if refused == nil || refused.Reason == needsBody {
			return true, nil
		}
		first = clearer(first, refused, i)
	}
	return false, first
}
