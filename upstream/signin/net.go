package signin

import (
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// Net finds what looks like this upstream's credential in a proxied response: a token that
// was minted past the mapping, and that a page would read. It is a net, not a wall.
type Net struct {
	places []mapping.Place // of tokens, in bodies
	marks  []string        // without one of which a body has no token
}

// jwtMark begins every JWT: base64url of `{"`.
const jwtMark = `"eyJ`

// newNet makes the net of an upstream whose places are known; it is empty where nobody
// signs in.
func (u *Upstream) newNet() Net {
	n := Net{}
	for _, places := range allPlaces(u) {
		for _, name := range []string{credential.AccessToken, credential.RefreshToken} {
			p, ok := places.Values[name]
			if !ok || !p.InBody() || p.Pointer == "" || slices.Contains(n.places, p) {
				continue
			}
			n.places = append(n.places, p)
			key := p.Pointer[strings.LastIndexByte(p.Pointer, '/')+1:]
			n.marks = append(n.marks, strings.NewReplacer("~1", "/", "~0", "~").Replace(key))
		}
	}
	if len(allPlaces(u)) > 0 {
		n.marks = append(n.marks, jwtMark)
	}
	return n
}

// Net finds tokens of u in proxied responses.
func (u *Upstream) Net() *Net { return &u.net }

// Marks are texts without one of which no body can hold a token; none: nothing is looked for.
func (n *Net) Marks() []string { return n.marks }

// Catches reports whether a document holds a token where the mapping takes one, or a JWT
// of the same issuer as the credential's.
func (n *Net) Catches(document any, c *credential.Credential) bool {
	a := &mapping.Response{Body: document}
	for _, p := range n.places {
		v, _ := p.Extract(a)
		if text, ok := v.(string); ok && mapping.IsCredentialText([]byte(text)) {
			return true
		}
	}
	own, ok := mapping.SecretText(c.Value(credential.AccessToken))
	claims, isJWT := mapping.Claims(own)
	return ok && isJWT && holdsJWT(document, issuerOf(claims))
}

// issuerOf is a token's issuer; empty where none is named.
func issuerOf(claims map[string]any) string {
	issuer, _ := claims["iss"].(string)
	return issuer
}

// holdsJWT reports whether a JWT of an issuer stands anywhere in a document.
func holdsJWT(v any, issuer string) bool {
	switch v := v.(type) {
	case string:
		claims, ok := mapping.Claims(v)
		return ok && strings.HasPrefix(v, "eyJ") && issuerOf(claims) == issuer
	case []any:
		return slices.ContainsFunc(v, func(each any) bool { return holdsJWT(each, issuer) })
	case map[string]any:
		for _, each := range v {
			if holdsJWT(each, issuer) {
				return true
			}
		}
	}
	return false
}
