package signature

import (
	"slices"
	"strings"
)

// weakSecret is the length in bytes below which a secret is worth a warning: 128 bits.
const weakSecret = 16

// warnings says what works and is unwise. It is asked only of a rule without faults.
func (c *rule) warnings(r *Rule, f *faults) {
	if !c.coversBody(r) {
		f.warn("over", "the body is not signed: who saw one call can send another body with its proof", "{body} in over, if the provider signs it")
	}
	if len(r.Fresh) == 0 && r.Once == "" {
		f.warn("fresh", "neither fresh nor once: a call can be repeated indefinitely", "fresh: {at: 5m}, once: \"{id}\"")
	}
	for _, name := range c.once.names() {
		if !c.isSigned(r, name) {
			f.warn("once", "made of something that is not signed: a repeated call can bear another value", "")
			break
		}
	}
	for _, t := range c.fresh {
		if !c.isSigned(r, t.name) {
			f.warn("fresh."+t.name, "the time is not signed: a repeated call can bear another", "")
		}
	}
	c.weak(r, f)
}

// weak warns of secrets that can be guessed.
func (c *rule) weak(r *Rule, f *faults) {
	if slices.Contains([]string{Ed25519, ECDSASHA256, RSASHA256}, r.By) {
		return
	}
	if r.By == JWT && !strings.HasPrefix(r.Algorithms[0], "HS") {
		return
	}
	for i, key := range r.Keys {
		if raw, err := r.keyBytes(key.Reveal()); err == nil && len(raw) < weakSecret {
			f.warn(index("keys", i), "the secret is shorter than 16 bytes", "let the provider make a longer one")
		}
	}
}

// coversBody reports whether the body's bytes are signed, themselves or by a
// digest that a signed claim or a signed query parameter must equal.
func (c *rule) coversBody(r *Rule) bool {
	covers := func(p part) bool { return p.name == "body" && p.digest != "crc32" || p.name == "form" }
	if slices.ContainsFunc(c.over, covers) {
		return true
	}
	for _, l := range c.admit {
		if !c.placeSigned(r, l.at) || l.bare {
			continue
		}
		if !slices.ContainsFunc(l.is, func(w want) bool { return w.front || w.back || !slices.ContainsFunc(w.text, covers) }) {
			return true
		}
	}
	return false
}

// isSigned reports whether a name of a template is covered by the proof.
func (c *rule) isSigned(r *Rule, name string) bool {
	if slices.ContainsFunc(c.over, func(p part) bool { return p.name == name && !p.base && p.digest != "crc32" }) {
		return true
	}
	switch name {
	case "body", "form":
		return c.coversBody(r)
	case "path", "query":
		return slices.Contains(c.over.names(), "url")
	}
	p := c.take[name]
	return p != nil && c.placeSigned(r, p)
}

// placeSigned reports whether what stands at p is covered by the proof.
func (c *rule) placeSigned(r *Rule, p *Place) bool {
	whole := func(names ...string) bool {
		return slices.ContainsFunc(c.over, func(p part) bool { return slices.Contains(names, p.name) && !p.base && p.digest != "crc32" })
	}
	switch {
	case p.Claim != "":
		return r.By == JWT
	case p.Pointer != nil:
		return whole("body") || r.By == JWT && c.digested(r)
	case p.Form != "":
		return whole("body", "form")
	case p.Query != "":
		return whole("url", "query")
	}
	for name, taken := range c.take {
		if taken.Header == p.Header && taken.Basic == p.Basic && whole(name) {
			return true
		}
	}
	return false
}

// digested reports whether a claim must equal a digest of the body.
func (c *rule) digested(r *Rule) bool {
	return slices.ContainsFunc(c.admit, func(l *line) bool {
		return l.at.Claim != "" && !l.bare && !slices.ContainsFunc(l.is, func(w want) bool {
			return w.front || w.back || !slices.Contains(w.text.names(), "body")
		})
	})
}
