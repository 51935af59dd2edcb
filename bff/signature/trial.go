package signature

import (
	"bytes"
	"hash"
	"time"
)

// trial is one rule that looks at one call.
type trial struct {
	*rule
	e      *reading
	now    time.Time
	proofs [][]byte
	unread bool   // the proof stands in a body that was not read
	later  bool   // so does something else
	key    int    // the key that verified
	event  string // the value of once
}

func (r *rule) verify(e *reading, now time.Time) *trial { return &trial{rule: r, e: e, now: now} }

// run holds the call against the rule. Before the body was read, the reason
// needsBody means that everything that can be known so far is right.
func (t *trial) run() *RefusedError {
	steps := []func() *RefusedError{t.readProofs, t.readValues, t.checkTimes, t.compare, t.checkLines, t.readEvent}
	for _, step := range steps {
		if refused := step(); refused != nil {
			return refused
		}
	}
	if t.later {
		return &RefusedError{Reason: needsBody}
	}
	return nil
}

// know returns a refusal where err is more than "not known yet".
func (t *trial) know(what string, err error) *RefusedError {
	if err == nil {
		return nil
	}
	refused := refusal(what, err)
	if refused.Reason == needsBody && !t.e.whole {
		t.later = true
		return nil
	}
	return refused
}

func (t *trial) readProofs() *RefusedError {
	proofs, err := t.rule.proofs(t.e)
	t.proofs, t.unread = proofs, err != nil
	if err == nil && t.jwt != nil {
		err = t.claims(t.e, proofs, t.now)
	}
	return t.know("proof", err)
}

func (t *trial) readValues() *RefusedError {
	for _, name := range t.order {
		if refused := t.know("take."+name, t.taken(t.e, name)); refused != nil {
			return refused
		}
	}
	return nil
}

func (t *trial) checkTimes() *RefusedError {
	for _, c := range t.fresh {
		if written, ok := t.e.values[c.name]; ok {
			if refused := t.know("fresh."+c.name, c.check(written, t.now)); refused != nil {
				return refused
			}
		}
	}
	return nil
}

func (t *trial) compare() *RefusedError {
	if t.jwt != nil || t.unread {
		return nil
	}
	key, err := t.match(t.e, t.proofs)
	t.key = key
	return t.know("proof", err)
}

func (t *trial) checkLines() *RefusedError {
	t.e.hmac = t.hmac(t.key)
	for i, l := range t.admit {
		if refused := t.know(index("admit", i), l.holds(t.e)); refused != nil {
			return refused
		}
	}
	return nil
}

func (t *trial) readEvent() *RefusedError {
	event, err := t.once.text(t.e)
	t.event = event
	return t.know("once", err)
}

// hmac is the rule's own code, for .hmac. Other algorithms have none.
func (r *rule) hmac(key int) func([]byte) []byte {
	if key < len(r.keys) {
		if k, ok := r.keys[key].(hmacKey); ok {
			return k.sum
		}
	}
	return nil
}

// proofs returns the decoded proofs that came.
func (r *rule) proofs(e *reading) ([][]byte, error) {
	list, err := e.all(&r.proof.Place)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, NoProof
	case len(list) > MaxProofs:
		return nil, TooMany
	}
	var proofs [][]byte
	for _, v := range list {
		raw, err := decode(v.text, r.proof.Encoding)
		if err == nil && v.kind == text && (r.length == 0 || len(raw) == r.length) {
			proofs = append(proofs, raw)
		}
	}
	if len(proofs) == 0 {
		return nil, ProofMalformed
	}
	return proofs, nil
}

// claims verifies the one JWT.
func (r *rule) claims(e *reading, proofs [][]byte, now time.Time) error {
	if len(proofs) != 1 {
		return Twice
	}
	claims, err := r.jwt.verify(string(proofs[0]), now)
	if err == nil {
		e.claims = claims
	}
	return err
}

// taken takes one value.
func (r *rule) taken(e *reading, name string) error {
	v, err := e.single(r.take[name])
	if err != nil {
		return err
	}
	if e.values == nil {
		e.values = make(map[string]string, len(r.order))
	}
	e.values[name] = v.text
	return nil
}

// match compares the proofs with every key.
func (r *rule) match(e *reading, proofs [][]byte) (key int, err error) {
	message := func(h hash.Hash) error { return r.over.write(h, e) }
	whole := func() ([]byte, error) {
		var b bytes.Buffer
		err := r.over.write(&b, e)
		return b.Bytes(), err
	}
	for i, k := range r.keys {
		compare, err := k.prepare(message, whole)
		if err != nil {
			return 0, err
		}
		for _, proof := range proofs {
			if compare(proof) {
				return i, nil
			}
		}
	}
	return 0, ProofWrong
}
