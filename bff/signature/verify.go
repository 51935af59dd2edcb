package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Proven is what a verified call proved.
type Proven struct {
	// Rule and Key say by which of the scheme's.
	Rule, Key int
	// Once names the event, for a store: 64 hexadecimal digits that differ between
	// callers; empty where the rule has no once.
	Once string
	// Remember is how long Once must be remembered once the call is done.
	Remember time.Duration
}

// Verify holds a whole call against the rules; any of them is enough. now is the
// time that fresh compares with. The error is a [*RefusedError].
//
// A call that a handshake answers is not verified here: ask [Verifier.Handshake] first.
func (v *Verifier) Verify(c *Call, now time.Time) (Proven, error) {
	if int64(len(c.Body)) > v.maxSigned {
		return Proven{}, &RefusedError{Reason: TooLarge, What: "max_signed"}
	}
	return v.any(c, now)
}

// any tries the rules in their order, on a whole call.
func (v *Verifier) any(c *Call, now time.Time) (Proven, error) {
	var first *RefusedError
	for i, r := range v.rules {
		t := r.verify(v.reading(c, true), now)
		refused := t.run()
		if refused == nil {
			return v.proven(i, t), nil
		}
		first = clearer(first, refused, i)
	}
	return Proven{}, first
}

// clearer is the refusal that says more: the first whose proof came, else the first.
func clearer(first, refused *RefusedError, rule int) *RefusedError {
	refused.Rule = rule
	if first == nil || first.Reason == NoProof && refused.Reason != NoProof {
		return refused
	}
	return first
}

func (v *Verifier) reading(c *Call, whole bool) *reading {
	base := c.Base
	if v.url != "" {
		base = v.url
	}
	return &reading{call: c, whole: whole, base: base}
}

func (v *Verifier) proven(i int, t *trial) Proven {
	p := Proven{Rule: i, Key: t.key}
	if t.once != nil {
		h := sha256.New()
		_, _ = h.Write([]byte("coatcheck/v1/once\x00" + v.caller + "\x00"))
		_, _ = h.Write([]byte(t.event))
		p.Once, p.Remember = hex.EncodeToString(h.Sum(nil)), t.remember
	}
	return p
}

func refusal(what string, err error) *RefusedError {
	reason, ok := err.(Reason) //nolint:errorlint // our own, never wrapped
	if !ok {
		reason = Malformed
	}
	return &RefusedError{Reason: reason, What: what}
}

// isHead reports whether a place can be read before the body.
func (p *Place) isHead() bool { return p.Pointer == nil && p.Form == "" && p.Claim == "" }
