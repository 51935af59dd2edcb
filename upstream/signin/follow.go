package signin

import (
	"net/http"
	"time"

	"coatcheck/bff/credential"
)

// Follows reports whether proxied answers can renew a value, so that callers can
// skip [Upstream.Follow] where they cannot.
func (u *Upstream) Follows() bool { return u.follows != nil }

// compileFollow notes the places, all in headers or cookies, that proxied answers renew.
func (m *mapping) compileFollow() {
	if m.u.login == nil {
		return
	}
	f := &credentialPlaces{values: map[string]*place{}, ends: map[string]*place{}, wire: m.wire}
	for name, p := range m.u.login.places.values {
		if p.follow && !p.isPointer() {
			f.values[name] = p
		}
	}
	if len(f.values) == 0 {
		return
	}
	for name, p := range m.u.login.places.ends {
		if !p.isPointer() {
			f.ends[name] = p
		}
	}
	m.u.follows = f
}

// Follow reads a proxied answer's headers, by lines, for values that the API
// renews as it goes. It returns the changed credential, or false where there is
// nothing new. A value that is not fit to be sent is ignored: the old one stays.
func (u *Upstream) Follow(old *credential.Credential, lines func(name string) []string, now time.Time) (*credential.Credential, bool) {
	if u.follows == nil || old == nil {
		return nil, false
	}
	a := &answer{header: http.Header{}, at: now}
	fresh, changed := map[string]credential.Secret{}, false
	for name, p := range u.follows.values {
		u.follows.load(a, p, lines)
		v, fit := u.follows.value(name, p, a)
		if !fit || v.IsEmpty() {
			continue
		}
		fresh[name] = v
		changed = changed || !v.Equal(old.Value(name))
	}
	if !changed {
		return nil, false
	}
	next := old.Renew(u.follows.dated(a, fresh, lines, now))
	return next, true
}

// load copies the lines that p looks at.
func (c *credentialPlaces) load(a *answer, p *place, lines func(string) []string) {
	name := "Set-Cookie"
	if p.header != "" {
		name = p.header
	}
	if _, done := a.header[name]; !done {
		a.header[name] = lines(name)
	}
}

// dated makes a credential of renewed values, with the ends that came along.
func (c *credentialPlaces) dated(a *answer, fresh map[string]credential.Secret, lines func(string) []string, now time.Time) *credential.Credential {
	for _, p := range c.ends {
		c.load(a, p, lines)
	}
	token, _ := value{secret: fresh[credential.AccessToken], taken: true}.appendText(nil)
	expires, err := c.expires(a, string(token), now)
	if err != nil {
		expires = time.Time{}
	}
	return credential.New(fresh, expires, time.Time{})
}
