package signin

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// setSend compiles `send`: what carries a person on calls.
func (u *Upstream) setSend(c *configs.Upstream) {
	headers, _ := c.SendHeaders()
	u.send = pairs(headers)
	for _, p := range u.send {
		if p.text.constant() {
			u.constants = append(u.constants, p)
		}
		for _, name := range p.text.names() {
			if _, ok := (&Caller{}).builtIn(name); ok {
				u.sendsCaller = true
			}
		}
	}
}

// SendsCaller reports whether `send` puts built-in names, so that
// [Upstream.AppendSend] needs to know the caller.
func (u *Upstream) SendsCaller() bool { return u.sendsCaller }

// AppendSend appends the header lines that carry the person of c, "Name: value"
// and CRLF each. A line of which a {name} has no value is left out; so without a
// credential only the constant ones are there, and those of the caller, who may be
// the zero Caller where [Upstream.SendsCaller] says no.
func (u *Upstream) AppendSend(dst []byte, c *credential.Credential, who Caller) []byte {
	from := &values{credential: c, caller: who}
	for _, p := range u.send {
		start := len(dst)
		dst = append(append(dst, p.name...), ": "...)
		var err error
		if dst, err = p.text.appendTo(dst, from, putTaken); err != nil {
			dst = dst[:start]
			continue
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// putTaken puts a value of a credential. It was tested when it was taken; it is
// tested again because the mapping may have changed since. What is built in is
// printable, and may have spaces.
func putTaken(dst []byte, v value) ([]byte, bool) {
	start := len(dst)
	dst, ok := v.appendText(dst)
	if !v.taken {
		return dst, ok && isFieldValue(dst[start:])
	}
	return dst, ok && isToken(dst[start:])
}

// SendNames are the lower-case names of all headers of `send`. They are always
// removed from what the browser sent.
func (u *Upstream) SendNames() []string { return lowerNames(u.send) }

func lowerNames(list []pair) []string {
	var names []string
	for _, p := range list {
		names = append(names, strings.ToLower(p.name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// HiddenNames are the lower-case names of headers removed from proxied answers:
// those of send.hide, and every header from which a value is taken that `send`
// puts. Set-Cookie is removed anyway.
func (u *Upstream) HiddenNames() []string { return slices.Clone(u.hidden) }

// hide collects the names that answers of u hide, when all places are known: those
// of every upstream, because a token taken at one may be carried to another.
func (s *Set) hide(u *Upstream, c *configs.Upstream) {
	put, names := map[string]bool{}, map[string]bool{}
	for _, p := range u.send {
		for _, name := range p.text.names() {
			put[name] = true
		}
	}
	if c.Send != nil {
		for _, name := range c.Send.Hide {
			names[strings.ToLower(name)] = true
		}
	}
	for _, other := range s.upstreams {
		for _, places := range other.allPlaces() {
			for name, p := range places.values {
				if put[name] && p.header != "" {
					names[strings.ToLower(p.header)] = true
				}
			}
		}
	}
	u.hidden = slices.Sorted(maps.Keys(names))
}

// allPlaces are the places of login, its steps and refresh.
func (u *Upstream) allPlaces() []*credentialPlaces {
	var all []*credentialPlaces
	if u.login != nil {
		all = append(all, u.login.places)
	}
	for _, s := range u.steps {
		all = append(all, s.places)
	}
	if u.refresh != nil {
		all = append(all, u.refresh.places)
	}
	return all
}
