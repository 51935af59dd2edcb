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

// sending is what carries a person on calls, compiled.
type sending struct {
	send        mapping.Send
	sendsToken  bool
	sendsCaller bool
	hidden      []string
}

// setSend compiles `send`.
func (u *sending) setSend(c *configs.Upstream) {
	headers, _ := c.SendHeaders()
	own := c.Send
	if own == nil {
		own = &configs.Send{}
	}
	u.send = mapping.NewSend(headers, own.Query, own.Cookie, own.Message())
	u.sendsToken = slices.Contains(u.send.Headers.ValueNames(), credential.AccessToken)
	u.sendsCaller = slices.ContainsFunc(u.send.ValueNames(), func(name string) bool { return !isTaken(name) })
}

// Send is what carries a person on calls. It is not changed.
func (u *sending) Send() *mapping.Send { return &u.send }

// SendsCaller reports whether `send` puts built-in names, so that what is appended by
// [Upstream.Send] needs to know the caller.
func (u *sending) SendsCaller() bool { return u.sendsCaller }

// AppendSend appends the header lines that carry the person of c, as
// [mapping.Headers.Append] does; query, cookies and WebSockets have methods of their own.
// who may be the zero Caller where [Upstream.SendsCaller] says no. An access token that is
// bound to a key is left out: it goes along with a proof, and never as a bearer token
// (RFC 9449 §7.2).
func (u *sending) AppendSend(dst []byte, c *credential.Credential, who mapping.Caller) []byte {
	return u.send.Headers.Append(dst, c, who)
}

// SendsToken reports whether a header of `send` carries the access token.
func (u *sending) SendsToken() bool { return u.sendsToken }

// SendNames are the lower-case names of all headers of `send`. They are always
// removed from what the browser sent.
func (u *sending) SendNames() []string { return u.send.Headers.LowerNames() }

// Carries names what carries a person, for people: headers in lower case, parameters of the
// query, cookies, and what goes out on WebSockets only.
func (u *sending) Carries() []string {
	names := u.SendNames()
	for _, p := range u.send.Query {
		names = append(names, "query "+p.Name)
	}
	for _, p := range u.send.Cookies {
		names = append(names, "cookie "+p.Name)
	}
	if len(u.send.Protocols) > 0 {
		names = append(names, "sec-websocket-protocol on WebSockets")
	}
	if u.send.Message != nil {
		names = append(names, "the first message of a WebSocket")
	}
	return names
}

// HiddenNames are the lower-case names of headers removed from proxied responses:
// those of send.hide, every header in which `send` puts a value that was taken, and every
// header from which such a value is taken: an API that renews a token unasked shows it
// there. Set-Cookie is removed anyway.
func (u *sending) HiddenNames() []string { return slices.Clone(u.hidden) }

// hide collects the names that responses of u hide, when all places are known: those
// of every upstream, because a token of one may be carried to another.
func (s *Set) hide(u *Upstream, c *configs.Upstream) {
	put, names := u.send.ValueNames(), map[string]bool{}
	if c.Send != nil {
		for _, name := range c.Send.Hide {
			names[strings.ToLower(name)] = true
		}
	}
	for _, h := range u.send.Headers {
		if slices.ContainsFunc(h.Value.Names(), isTaken) {
			names[strings.ToLower(h.Name)] = true
		}
	}
	for _, other := range s.upstreams {
		for _, places := range allPlaces(other) {
			for name, p := range places.Values {
				if p.Header != "" && slices.Contains(put, name) {
					names[strings.ToLower(p.Header)] = true
				}
			}
		}
	}
	u.hidden = slices.Sorted(maps.Keys(names))
}

// allPlaces are the places of every way, their steps, refresh and the accounts' own sign-ins.
func allPlaces(u *Upstream) []*mapping.Places {
	var all []*mapping.Places
	for _, w := range u.Ways.all() {
		all = append(all, w.Places)
		for _, s := range w.steps {
			all = append(all, s.Places)
		}
	}
	if u.refresh != nil {
		all = append(all, u.refresh.Places)
	}
	for _, a := range u.accounts {
		all = append(all, a.login.Places)
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

// isTaken reports whether a {name} stands for what an API gave, and not for who calls.
func isTaken(name string) bool { return !mapping.IsBuiltIn(name) && !mapping.IsProgram(name) }
