package mapping

import (
	"encoding/json"
	"strings"
	"time"

	"coatcheck/bff/credential"
)

// Places say where a response holds a credential.
type Places struct {
	// Values are the places of access_token, refresh_token and the mapping's own names.
	Values map[string]Place
	// Expiry are the places of expires_in, expires_at and their refresh_ kin.
	Expiry map[string]Place

	// bearer is where the response's token_type must be Bearer, if it has one;
	// nil where `send` says how the token is carried.
	bearer *Place
	// wire are the names that are put somewhere else than into a body.
	wire map[string]bool
}

// NewPlaces sorts the places of a credential. sendNamed says that the mapping's `send`
// says how the token is carried; only where it does not must a token_type be Bearer
// (RFC 6749 §7.1). wire are the names that some request puts anywhere but into a body;
// it may be filled in later. It fails with the faults of the places.
func NewPlaces(all map[string]Place, sendNamed bool, wire map[string]bool) (*Places, error) {
	places := &Places{Values: map[string]Place{}, Expiry: map[string]Place{}, wire: wire}
	var faults []*Fault
	for name, at := range all {
		for _, f := range at.Faults() {
			faults = append(faults, f.below("credential."+name))
		}
		if IsExpiry(name) {
			places.Expiry[name] = at
		} else {
			places.Values[name] = at
		}
	}
	if token := places.Values[credential.AccessToken]; !sendNamed && token.InBody() && token.Pointer != "" {
		places.bearer = &Place{Pointer: token.Pointer[:strings.LastIndexByte(token.Pointer, '/')+1] + "token_type"}
	}
	return places, Join(faults)
}

// Extract makes a credential of a response, or fails with [upstream.ErrInvalid]. now is
// when the request was sent, so that an expiry errs on the early side.
func (c *Places) Extract(a *Response, now time.Time) (*credential.Credential, error) {
	if err := c.checkType(a); err != nil {
		return nil, err
	}
	extracted := map[string]credential.Secret{}
	for name, at := range c.Values {
		v, ok := c.value(name, at, a)
		if !ok {
			return nil, Invalid("value of %s is not fit to be sent", name)
		}
		if !v.IsEmpty() {
			extracted[name] = v
		}
	}
	token := value{secret: extracted[credential.AccessToken], fromAPI: true}
	if token.secret.IsEmpty() {
		return nil, Invalid("no access token in it")
	}
	text, _ := token.appendText(nil)
	expires, err := c.expires(a, string(text), now)
	if err != nil {
		return nil, err
	}
	return credential.New(extracted, expires, c.refreshExpires(a, now)), nil
}

// value extracts one value and tests it: tokens, and whatever is put on the wire
// elsewhere than in a body, must not be able to end what they stand in.
func (c *Places) value(name string, at Place, a *Response) (credential.Secret, bool) {
	raw, _ := at.Extract(a)
	isToken := name == credential.AccessToken || name == credential.RefreshToken
	if isToken {
		raw = bareToken(raw)
	}
	secret := toSecret(raw)
	if secret.IsEmpty() {
		return secret, true
	}
	if !isToken && !c.wire[name] {
		return secret, secret.Len() <= maxValue
	}
	text, ok := value{secret: secret, fromAPI: true}.appendText(nil)
	return secret, ok && IsCredentialText(text)
}

// bareToken is what of a place's content is a token: text or a number, else nothing. It
// cuts the scheme off one that came as a whole Authorization value (RFC 6750
// §2.1), as some APIs give it: no token has a space in it.
func bareToken(raw any) any {
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
func (c *Places) checkType(a *Response) error {
	if c.bearer == nil {
		return nil
	}
	v, _ := c.bearer.Extract(a)
	if kind, ok := v.(string); ok && !strings.EqualFold(kind, "bearer") {
		return Invalid("token_type is not Bearer and send does not say how it is carried")
	}
	return nil
}
