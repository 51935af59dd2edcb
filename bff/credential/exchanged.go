package credential

import (
	"maps"
	"strconv"
	"strings"
	"time"
)

// exchangedPrefix begins the names of values that are tokens of their own for other APIs
// (RFC 8693). No mapping can name one: a {name} has no slash.
const exchangedPrefix = "exchanged/"

// Exchanged returns the token of its own for the API called name, as a credential; nil
// where there is none.
func (c *Credential) Exchanged(name string) *Credential {
	kept, ok := strings.CutPrefix(c.Value(exchangedPrefix+name).Reveal(), "1 ")
	ends, rest, _ := strings.Cut(kept, " ")
	bound, token, whole := strings.Cut(rest, " ")
	ms, err := strconv.ParseInt(ends, 10, 64)
	if !ok || !whole || err != nil || token == "" {
		return nil
	}
	found := &Credential{values: map[string]Secret{AccessToken: NewSecret(token)}}
	if ms > 0 {
		found.Expires = time.UnixMilli(ms)
	}
	if bound == BoundKey {
		found.values[BoundKey] = c.Value(BoundKey)
	}
	return found
}

// WithExchanged returns a credential with token's access token as the one for the API
// called name. A token that is bound is bound to the key of c.
func (c *Credential) WithExchanged(name string, token *Credential) *Credential {
	ends, bound := int64(0), "-"
	if !token.Expires.IsZero() {
		ends = token.Expires.UnixMilli()
	}
	if token.IsBound() {
		bound = BoundKey
	}
	next := *c
	next.values = maps.Clone(c.values)
	if next.values == nil {
		next.values = map[string]Secret{}
	}
	next.values[exchangedPrefix+name] = NewSecret("1 " + strconv.FormatInt(ends, 10) + " " + bound + " " + token.Value(AccessToken).Reveal())
	return &next
}

// WithoutExchanged returns a credential without tokens for other APIs: they were made of
// an access token that is not in use any more.
func (c *Credential) WithoutExchanged() *Credential {
	next := *c
	next.values = maps.Clone(c.values)
	maps.DeleteFunc(next.values, func(name string, _ Secret) bool { return strings.HasPrefix(name, exchangedPrefix) })
	return &next
}
