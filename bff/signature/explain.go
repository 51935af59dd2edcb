package signature

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Explanation says what one rule saw in a call, for the operator who asks. It
// holds parts of the call, and never a key or the right signature.
type Explanation struct {
	Rule    int           // its place in the scheme, from 0
	Refused *RefusedError // nil where the call is verified
	Signed  []Piece       // what over came to, in its order; none for jwt and equal
	Differs string        // what, if it were otherwise, would make the proof right; may be empty
}

// Piece is a part of the text that was signed.
type Piece struct {
	Name   string // as over has it: body, url, at; empty for plain text
	Length int    // in bytes, -1 where there is nothing
	Shown  string // the beginning, printable
}

// shownBytes is how much of a piece is shown.
const shownBytes = 60

// Explain holds a whole call against every rule and says what each saw.
func (v *Verifier) Explain(c *Call, now time.Time) []Explanation {
	list := make([]Explanation, len(v.rules))
	for i, r := range v.rules {
		t := r.verify(v.reading(c, true), now)
		x := Explanation{Rule: i, Refused: t.run()}
		for _, name := range r.order { // those that the refusal came before
			_ = t.taken(t.e, name)
		}
		for _, p := range r.over {
			x.Signed = append(x.Signed, p.shown(t.e))
		}
		if x.Refused != nil {
			x.Refused.Rule = i
			if x.Refused.Reason == ProofWrong || x.Refused.Reason == ProofMalformed {
				x.Differs = t.differs()
			}
		}
		list[i] = x
	}
	return list
}

func (p part) shown(e *reading) Piece {
	if p.name == "" {
		return Piece{Length: len(p.plain), Shown: visible([]byte(p.plain))}
	}
	var b bytes.Buffer
	piece := Piece{Name: p.written(), Length: -1}
	if p.write(&b, e) == nil {
		piece.Length, piece.Shown = b.Len(), visible(b.Bytes())
	}
	return piece
}

// written is the name as the template has it.
func (p part) written() string {
	s := p.name
	if p.base {
		s += ".base"
	}
	for _, word := range []string{p.digest, p.encoding} {
		if word != "" {
			s += "." + word
		}
	}
	return s
}

// visible is the beginning of raw without what moves a terminal's cursor.
func visible(raw []byte) string {
	more := ""
	if len(raw) > shownBytes {
		raw, more = raw[:shownBytes], "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, string(raw)) + more
}

// other is one way in which a part of a call may have reached the signer.
type other struct {
	says string
	raw  []byte
}

// differs tries the usual mistakes, one at a time, and names the one that would
// make the proof right.
func (t *trial) differs() string {
	if t.jwt != nil {
		return ""
	}
	for _, name := range t.over.names() {
		raw, err := t.e.named(part{name: name})
		if err != nil {
			continue
		}
		for _, o := range others(name, raw, t.e) {
			t.e.over = map[string][]byte{name: o.raw}
			_, err := t.match(t.e, t.proofs)
			t.e.over = nil
			if err == nil {
				return o.says
			}
		}
	}
	if s := t.proofDiffers(); s != "" {
		return s
	}
	return t.keyDiffers()
}

func others(name string, raw []byte, e *reading) []other {
	switch name {
	case "body":
		list := []other{
			{"the body, without the line break at its end", bytes.TrimRight(raw, "\r\n")},
			{"the body, with a line break at its end", append(bytes.Clone(raw), '\n')},
			{"the body, with LF line breaks", bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))},
			{"the body, empty", nil},
		}
		var compact bytes.Buffer
		if json.Compact(&compact, raw) == nil {
			list = append(list, other{"the body, with its JSON written without blanks: it was changed on the way", compact.Bytes()})
		}
		return list
	case "url":
		return otherAddresses(e)
	}
	return nil
}

func otherAddresses(e *reading) []other {
	base := e.base
	swapped := "http://" + strings.TrimPrefix(base, "https://")
	if strings.HasPrefix(base, "http://") {
		swapped = "https://" + strings.TrimPrefix(base, "http://")
	}
	return []other{
		{"the address, with " + swapped[:strings.Index(swapped, ":")] + "://: name it in url", []byte(swapped + e.call.Target)},
		{"the address, without its query", []byte(base + e.path())},
		{"the address, without / at the end of its path", []byte(strings.TrimSuffix(base+e.path(), "/"))},
		{"the address, with the port :443: name it in url", []byte(base + ":443" + e.call.Target)},
	}
}

// proofDiffers tries the other encodings of the proof.
func (t *trial) proofDiffers() string {
	for _, encoding := range []string{"hex", "base64", "base64url"} {
		if encoding == t.proof.Encoding {
			continue
		}
		again := *t.rule
		again.proof.Encoding = encoding
		if proofs, err := again.proofs(t.e); err == nil {
			if _, err := again.match(t.e, proofs); err == nil {
				return "the encoding of the proof: " + encoding
			}
		}
	}
	return ""
}

// keyDiffers tries the other encodings of an HMAC key.
func (t *trial) keyDiffers() string {
	if t.hmac(0) == nil {
		return ""
	}
	for _, encoding := range []string{"text", "base64", "base64url", "hex"} {
		for _, prefix := range []string{t.written.KeyPrefix, ""} {
			if t.verifiesWith(encoding, prefix) {
				return "the key: its encoding is " + encoding + without(prefix)
			}
		}
	}
	return ""
}

func without(prefix string) string {
	if prefix == "" {
		return ", and nothing of it is a prefix"
	}
	return ""
}

func (t *trial) verifiesWith(encoding, prefix string) bool {
	rule := Rule{By: t.written.By, Encoding: encoding, KeyPrefix: prefix}
	again := *t.rule
	again.keys = nil
	for _, key := range t.written.Keys {
		raw, err := rule.keyBytes(key.Reveal())
		if err != nil {
			continue
		}
		if k, err := rule.newVerifier(raw); err == nil {
			again.keys = append(again.keys, k)
		}
	}
	_, err := again.match(t.e, t.proofs)
	return err == nil
}
