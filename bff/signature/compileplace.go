package signature

import (
	"maps"
	"slices"
	"strings"
)

// takes compiles what is taken.
func (c *rule) takes(take map[string]Place, f *faults, claims bool) {
	c.order = slices.Sorted(maps.Keys(take))
	for _, name := range c.order {
		path := "take." + name
		if !isName(name) {
			f.refuse(path, "a value name has letters, digits, \"_\" and \"-\", and starts with a letter or \"_\"", "")
		}
		if slices.Contains(builtIn, name) {
			f.refuse(path, "this name is built in", "")
		}
		p := take[name]
		checkPlace(path, &p, f, claims)
		c.take[name] = &p
	}
}

// checkPlace holds a place against its form. JSON pointers and header names are
// the configuration's to check as well.
func checkPlace(path string, p *Place, f *faults, claims bool) {
	named := 0
	for _, s := range []string{p.Header, p.Query, p.Form, p.Basic, p.Claim} {
		if s != "" {
			named++
		}
	}
	if p.Pointer != nil {
		named++
		if !isPointer(*p.Pointer) {
			f.refuse(path, "a place in JSON is \"\" or begins with / (RFC 6901)", "")
		}
	}
	switch {
	case named != 1:
		f.refuse(path, "a place is exactly one of a JSON pointer, header, query, form, basic and claim", "{header: X-Signature}")
	case p.Basic != "" && p.Basic != "user" && p.Basic != "password":
		f.refuse(path, "of Basic there is user and password", "{basic: password}")
	case p.Claim != "" && !claims:
		f.refuse(path, "only a JWT has claims", "by: jwt")
	}
}

// isPointer reports whether s is a JSON pointer (RFC 6901 §3).
func isPointer(s string) bool {
	if s != "" && s[0] != '/' {
		return false
	}
	for rest := s; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			return true
		}
		if after == "" || after[0] != '0' && after[0] != '1' {
			return false
		}
		rest = after
	}
}
