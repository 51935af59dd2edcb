package signature

import (
	"slices"
	"strings"
)

// compileTemplate reads a template whose names are built in or taken.
func compileTemplate(path, written string, taken []string, f *faults) template {
	t, err := parseTemplate(written)
	if err != nil {
		f.refuse(path, err.Error(), "")
		return nil
	}
	for _, name := range t.names() {
		if !slices.Contains(builtIn, name) && !slices.Contains(taken, name) {
			f.refuse(path, "a {name} that is neither built in nor taken", "known: "+strings.Join(append(slices.Clone(builtIn), taken...), ", "))
		}
	}
	return t
}

// compileEcho is compileTemplate for what is answered: only taken values, which are
// short and printable, and what is made of them.
func compileEcho(path, written string, taken []string, f *faults) template {
	t := compileTemplate(path, written, taken, f)
	for _, p := range t {
		switch {
		case slices.Contains(builtIn, p.name):
			f.refuse(path, "only taken values are answered", "take: {x: {query: …}}")
		case p.digest != "" && p.encoding == "":
			f.refuse(path, "a digest in an answer needs an encoding", "{"+p.name+"."+p.digest+".hex}")
		}
	}
	return t
}

// unkeyed refuses .hmac where the rule's own proof would be circular or given away.
func (f *faults) unkeyed(path string, t template) {
	if t.keyed() {
		f.refuse(path, ".hmac is for the lines of admit and for handshakes", "")
	}
}

func compileLine(path string, l *Line, taken []string, f *faults, claims, keyed bool) *line {
	c := &line{at: l.At, bare: l.Is == nil}
	if l.At == nil {
		f.refuse(path+".at", "the place is missing", "at: /type")
		return c
	}
	checkPlace(path+".at", l.At, f, claims)
	for _, is := range l.Is {
		w, err := newWant(is)
		if w.text.keyed() && !keyed {
			f.refuse(path+".is", ".hmac needs a rule that signs by an HMAC", "by: hmac-sha256")
		}
		if err != nil {
			f.refuse(path+".is", err.Error(), "")
		}
		for _, name := range w.text.names() {
			if !slices.Contains(builtIn, name) && !slices.Contains(taken, name) {
				f.refuse(path+".is", "a {name} that is neither built in nor taken", "")
			}
		}
		c.is = append(c.is, w)
	}
	return c
}
