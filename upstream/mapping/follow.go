package mapping

import (
	"net/http"
	"time"

	"coatcheck/bff/credential"
)

// Followed are the places, all in headers or cookies, that proxied responses renew: those
// of the mapping that say `follow`, with their expiry; nil where there are none.
func (c *Places) Followed() *Places {
	f := &Places{Values: map[string]Place{}, Expiry: map[string]Place{}, wire: c.wire}
	for name, p := range c.Values {
		if p.Follow && !p.InBody() {
			f.Values[name] = p
		}
	}
	if len(f.Values) == 0 {
		return nil
	}
	for name, p := range c.Expiry {
		if !p.InBody() {
			f.Expiry[name] = p
		}
	}
	return f
}

// Renew reads a proxied response's header, by lines, for values that the API renews as
// it goes. It returns the changed credential, or false where there is nothing new. A
// value that is not fit to be sent is ignored: the old one stays.
func (c *Places) Renew(old *credential.Credential, lines func(name string) []string, now time.Time) (*credential.Credential, bool) {
	a := &Response{Header: http.Header{}, At: now}
	fresh, changed := map[string]credential.Secret{}, false
	for name, p := range c.Values {
		a.load(p, lines)
		v, fit := c.value(name, p, a)
		if !fit || v.IsEmpty() {
			continue
		}
		fresh[name] = v
		changed = changed || !v.Equal(old.Value(name))
	}
	if !changed {
		return nil, false
	}
	return old.Renew(c.dated(a, fresh, lines, now)), true
}

// load copies the lines that p looks at.
func (a *Response) load(p Place, lines func(string) []string) {
	name := "Set-Cookie"
	if p.Header != "" {
		name = http.CanonicalHeaderKey(p.Header)
	}
	if _, done := a.Header[name]; !done {
		a.Header[name] = lines(name)
	}
}

// dated makes a credential of renewed values, with the expiry that came along.
func (c *Places) dated(a *Response, fresh map[string]credential.Secret, lines func(string) []string, now time.Time) *credential.Credential {
	for _, p := range c.Expiry {
		a.load(p, lines)
	}
	token, _ := value{secret: fresh[credential.AccessToken], fromAPI: true}.appendText(nil)
	expires, err := c.expires(a, string(token), now)
	if err != nil {
		expires = time.Time{}
	}
	return credential.New(fresh, expires, time.Time{})
}

// Keep extracts the values that a later request needs, beside what earlier responses
// gave. It fails with [upstream.ErrInvalid] where one is not there.
func Keep(places map[string]Place, a *Response, earlier map[string]credential.Secret) (map[string]credential.Secret, error) {
	kept := map[string]credential.Secret{}
	for name, v := range earlier {
		kept[name] = v
	}
	for name, at := range places {
		raw, there := at.Extract(a)
		secret := toSecret(raw)
		if at.Name != "" && !there {
			continue // an optional field that the page did not send
		}
		if secret.IsEmpty() || secret.Len() > maxValue {
			return nil, Invalid("no usable %s in it, which a step needs", name)
		}
		kept[name] = secret
	}
	return kept, nil
}
