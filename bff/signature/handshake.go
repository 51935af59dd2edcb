package signature

import (
	"encoding/json"
	"slices"
	"time"
)

// handshake is a compiled [Handshake].
type handshake struct {
	admit  []*line
	take   map[string]*Place
	order  []string
	text   template
	json   any // with templates for its texts
	header map[string]template
	keyed  int // the rule whose .hmac it answers; -1
}

// Reply is what a handshake is answered, with status 200, X-Content-Type-Options:
// nosniff and Cache-Control: no-store. The values in it are printable ASCII.
type Reply struct {
	ContentType string            // text/plain; charset=utf-8 or application/json; empty without a body
	Body        []byte            // nil: none
	Headers     map[string]string // by name
}

// mayGreet reports whether a call without a proof may be a handshake, as far as
// its head tells.
func (v *Verifier) mayGreet(head *Call) bool {
	if v.cameProof(head, false) {
		return false
	}
	return slices.ContainsFunc(v.handshakes, func(h *handshake) bool {
		err := h.matches(v.reading(head, false))
		return h.keyed < 0 && (err == nil || err == needsBody) //nolint:errorlint // our own, never wrapped
	})
}

// cameProof reports whether anything stands where a rule's proof would.
func (v *Verifier) cameProof(c *Call, whole bool) bool {
	return slices.ContainsFunc(v.rules, func(r *rule) bool {
		list, err := v.reading(c, whole).all(&r.proof.Place)
		return len(list) > 0 || err == TooMany || err == Malformed && r.proof.isHead() //nolint:errorlint // our own, never wrapped
	})
}

// Handshake answers a whole call that is one; nil where none matches. A proof that
// came with it must verify, and an answer made with .hmac is given to no call
// without one. The error is a [*RefusedError].
func (v *Verifier) Handshake(c *Call, now time.Time) (*Reply, error) {
	for i, h := range v.handshakes {
		if h.matches(v.reading(c, true)) != nil {
			continue
		}
		e := v.reading(c, true)
		if h.keyed >= 0 || v.cameProof(c, true) {
			proven, err := v.any(c, now)
			if err != nil {
				return nil, err
			}
			if h.keyed >= 0 {
				e.hmac = v.hmacOf(h, proven)
			}
		} else if len(c.Body) > MaxHandshake {
			return nil, &RefusedError{Reason: TooLarge, What: index("handshake", i)}
		}
		reply, err := h.reply(e)
		if err != nil {
			return nil, refusal(index("handshake", i), err)
		}
		return reply, nil
	}
	return nil, nil
}

// hmacOf prefers the key that verified: while keys roll, the provider uses that one.
func (v *Verifier) hmacOf(h *handshake, p Proven) func([]byte) []byte {
	if f := v.rules[p.Rule].hmac(p.Key); f != nil {
		return f
	}
	return v.rules[h.keyed].hmac(0)
}

func (c *handshake) matches(e *reading) error {
	later := false
	for _, l := range c.admit {
		switch err := l.holds(e); err { //nolint:errorlint // our own, never wrapped
		case nil:
		case needsBody:
			later = true
		default:
			return err
		}
	}
	if later {
		return needsBody
	}
	return nil
}

// reply fills the answer in.
func (c *handshake) reply(e *reading) (*Reply, error) {
	taker := rule{take: c.take}
	for _, name := range c.order {
		if err := taker.taken(e, name); err != nil {
			return nil, err
		}
		if s := e.values[name]; len(s) > MaxEcho || !printable(s) {
			return nil, Malformed
		}
	}
	switch {
	case c.json != nil:
		tree, err := fill(c.json, e)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(tree)
		return &Reply{ContentType: "application/json", Body: body}, err
	case c.text != nil:
		s, err := c.text.text(e)
		return &Reply{ContentType: "text/plain; charset=utf-8", Body: []byte(s)}, err
	}
	r := &Reply{Headers: map[string]string{}}
	for name, t := range c.header {
		s, err := t.text(e)
		if err != nil {
			return nil, err
		}
		if !printable(s) {
			return nil, Malformed
		}
		r.Headers[name] = s
	}
	return r, nil
}

func fill(tree any, e *reading) (any, error) {
	switch tree := tree.(type) {
	case template:
		return tree.text(e)
	case []any:
		list := make([]any, len(tree))
		for i, each := range tree {
			var err error
			if list[i], err = fill(each, e); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		m := make(map[string]any, len(tree))
		for key, each := range tree {
			var err error
			if m[key], err = fill(each, e); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return tree, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
