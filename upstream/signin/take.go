package signin

import (
	"encoding/json"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// credentialPlaces say where an answer holds a credential.
type credentialPlaces struct {
	values map[string]*place // access_token, refresh_token and the mapping's own names
	ends   map[string]*place
	// bearer is where the answer's token_type must be Bearer, if it has one;
	// nil where `send` says how the token is carried.
	bearer *place
	// wire are the names that are put somewhere else than into a body.
	wire map[string]bool
}

// newCredentialPlaces compiles the places of a credential.
func newCredentialPlaces(c map[string]configs.Place, named bool, wire map[string]bool) (*credentialPlaces, error) {
	places := &credentialPlaces{values: map[string]*place{}, ends: map[string]*place{}, wire: wire}
	for name, at := range c {
		p, err := newPlace(at)
		if err != nil {
			return nil, err
		}
		switch name {
		case expiresIn, expiresAt, refreshExpiresIn, refreshExpiresAt:
			places.ends[name] = p
		default:
			places.values[name] = p
		}
	}
	if token := places.values[credential.AccessToken]; !named && token != nil && len(token.tokens) > 0 {
		parent := token.tokens[:len(token.tokens)-1]
		places.bearer = &place{tokens: append(parent[:len(parent):len(parent)], "token_type")}
	}
	return places, nil
}

// take makes a credential of an answer, or fails with [upstream.ErrInvalid]. now is when
// the question was asked, so that ends err on the early side.
func (c *credentialPlaces) take(a *answer, now time.Time) (*credential.Credential, error) {
	if err := c.checkType(a); err != nil {
		return nil, err
	}
	taken := map[string]credential.Secret{}
	for name, at := range c.values {
		v, ok := c.value(name, at, a)
		if !ok {
			return nil, invalid("value of %s is not fit to be sent", name)
		}
		if !v.IsEmpty() {
			taken[name] = v
		}
	}
	token := value{secret: taken[credential.AccessToken], taken: true}
	if token.secret.IsEmpty() {
		return nil, invalid("no access token in it")
	}
	text, _ := token.appendText(nil)
	expires, err := c.expires(a, string(text), now)
	if err != nil {
		return nil, err
	}
	refreshExpires, err := c.refreshExpires(a, now)
	return credential.New(taken, expires, refreshExpires), err
}

// value takes one value and tests it: tokens, and whatever is put on the wire
// elsewhere than in a body, must not be able to end what they stand in.
func (c *credentialPlaces) value(name string, at *place, a *answer) (credential.Secret, bool) {
	raw, _ := at.take(a)
	tokenish := name == credential.AccessToken || name == credential.RefreshToken
	if tokenish {
		raw = bare(raw)
	}
	secret := keep(raw)
	if secret.IsEmpty() {
		return secret, true
	}
	if !tokenish && !c.wire[name] {
		return secret, secret.Len() <= maxValue
	}
	text, ok := value{secret: secret, taken: true}.appendText(nil)
	return secret, ok && isToken(text)
}

// bare is what of a place's content is a token: text or a number, else nothing. It
// takes the scheme off one that came as a whole Authorization value (RFC 6750
// §2.1), as some APIs give it: no token has a space in it.
func bare(raw any) any {
	if _, number := raw.(json.Number); number {
		return raw
	}
	text, _ := raw.(string)
	if scheme, token, cut := strings.Cut(text, " "); cut && strings.EqualFold(scheme, "bearer") {
		return token
	}
	return text
}

// checkType refuses a token that is to be carried in a way nobody described
// (RFC 6749 §7.1).
func (c *credentialPlaces) checkType(a *answer) error {
	if c.bearer == nil {
		return nil
	}
	v, _ := c.bearer.take(a)
	if kind, ok := v.(string); ok && !strings.EqualFold(kind, "bearer") {
		return invalid("token_type is not Bearer and send does not say how it is carried")
	}
	return nil
}
