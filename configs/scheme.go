package configs

import (
	"coatcheck/bff/signature"
)

// Scheme returns how the caller called name signs, for [signature.Compile]. Package
// check refuses a file whose schemes do not compile.
func (c *Caller) Scheme(name string) signature.Scheme {
	s := signature.Scheme{Caller: name, MaxSigned: int64(c.MaxSigned), URL: c.URL}
	for _, r := range c.Signature {
		s.Rules = append(s.Rules, r.rule())
	}
	for _, h := range c.Handshake {
		s.Handshakes = append(s.Handshakes, h.handshake())
	}
	return s
}

func (s *Signature) rule() signature.Rule {
	r := signature.Rule{
		Take: places(s.Take), Over: string(s.Over), By: s.By, Algorithms: s.Algorithms, Keys: s.Keys,
		Encoding: s.Key.Encoding, KeyPrefix: s.Key.Prefix, Once: string(s.Once), Admit: Lines(s.Admit),
	}
	if s.Proof != nil {
		r.Proof = signature.Proof{Place: s.Proof.place(), Encoding: s.Proof.Encoding}
	}
	if len(s.Fresh) > 0 {
		r.Fresh = make(map[string]signature.Fresh, len(s.Fresh))
	}
	for name, f := range s.Fresh {
		r.Fresh[name] = signature.Fresh{Within: f.Within, Unit: f.Unit}
	}
	return r
}

func (p *CallPlace) place() signature.Place {
	return signature.Place{Pointer: p.Pointer, Header: p.Header, Query: p.Query, Form: p.Form, Basic: p.Basic, Claim: p.Claim,
		Split: p.Split, Prefix: p.Prefix}
}

func places(take map[string]CallPlace) map[string]signature.Place {
	m := make(map[string]signature.Place, len(take))
	for name, p := range take {
		m[name] = p.place()
	}
	return m
}

// Lines returns lines as the signature language has them.
func Lines(lines []Line) []signature.Line {
	list := make([]signature.Line, len(lines))
	for i, l := range lines {
		if l.At != nil {
			p := l.At.place()
			list[i].At = &p
		}
		if l.Is != nil {
			list[i].Is = l.Is.Values
		}
	}
	return list
}

func (h *Handshake) handshake() signature.Handshake {
	s := signature.Handshake{Admit: Lines(h.Admit), Take: places(h.Take), Answer: signature.Answer{Text: string(h.Answer.Text)}}
	if value, ok := h.Answer.JSON.Value(); ok {
		s.Answer.JSON = value
	}
	if h.Answer.Headers != nil {
		s.Answer.Headers = make(map[string]string, len(h.Answer.Headers))
	}
	for name, value := range h.Answer.Headers {
		s.Answer.Headers[name] = string(value)
	}
	return s
}
