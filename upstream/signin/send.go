package signin

import (
	"maps"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// setSend compiles `send`: what carries a person on calls.
func (u *Upstream) setSend(c *configs.Upstream) {
	headers, _ := c.SendHeaders()
	u.send = mapping.SortHeaders(headers)
	u.sendsCaller = slices.ContainsFunc(u.send.ValueNames(), func(name string) bool { return mapping.IsBuiltIn(name) || mapping.IsProgram(name) })
}

// SendsCaller reports whether `send` puts built-in names, so that
// [Upstream.AppendSend] needs to know the caller.
func (u *Upstream) SendsCaller() bool { return u.sendsCaller }

// AppendSend appends the header lines that carry the person of c, as
// [mapping.Headers.Append] does. who may be the zero Caller where
// [Upstream.SendsCaller] says no.
func (u *Upstream) AppendSend(dst []byte, c *credential.Credential, who mapping.Caller) []byte {
	return u.send.Append(dst, c, who)
}

// SendNames are the lower-case names of all headers of `send`. They are always
// removed from what the browser sent.
func (u *Upstream) SendNames() []string { return u.send.LowerNames() }

// HiddenNames are the lower-case names of headers removed from proxied responses:
// those of send.hide, and every header from which a value is extracted that `send`
// puts. Set-Cookie is removed anyway.
func (u *Upstream) HiddenNames() []string { return slices.Clone(u.hidden) }

// hide collects the names that responses of u hide, when all places are known: those
// of every upstream, because a token of one may be carried to another.
func (s *Set) hide(u *Upstream, c *configs.Upstream) {
	put, names := u.send.ValueNames(), map[string]bool{}
	if c.Send != nil {
		for _, name := range c.Send.Hide {
			names[strings.ToLower(name)] = true
		}
	}
	for _, other := range s.upstreams {
		for _, places := range other.allPlaces() {
			for name, p := range places.Values {
				if p.Header != "" && slices.Contains(put, name) {
					names[strings.ToLower(p.Header)] = true
				}
			}
		}
	}
	u.hidden = slices.Sorted(maps.Keys(names))
}

// allPlaces are the places of every way, their steps and refresh.
func (u *Upstream) allPlaces() []*mapping.Places {
	var all []*mapping.Places
	for _, w := range u.allWays() {
		all = append(all, w.Places)
		for _, s := range w.steps {
			all = append(all, s.Places)
		}
	}
	if u.refresh != nil {
		all = append(all, u.refresh.Places)
	}
	return all
}

// Follows reports whether proxied responses can renew a value, so that callers can
// skip [Upstream.Follow] where they cannot.
func (u *Upstream) Follows() bool { return u.followed != nil }

// Follow reads a proxied response's header, by lines, for values that the API renews as
// it goes, as [mapping.Places.Renew] does. old may be nil.
func (u *Upstream) Follow(old *credential.Credential, lines func(name string) []string, now time.Time) (*credential.Credential, bool) {
	if u.followed == nil || old == nil {
		return nil, false
	}
	return u.followed.Renew(old, lines, now)
}
