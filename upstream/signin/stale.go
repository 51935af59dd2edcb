package signin

import (
	"net/http"
	"slices"

	"coatcheck/upstream/mapping"
)

// Stale says which proxied responses speak of a dead token. A 401 always does.
type Stale struct{ signs []mapping.Sign }

// newStale compiles the mapping's signs, and one for 401 before them.
func newStale(signs []mapping.Sign) (Stale, error) {
	var faults []*mapping.Fault
	for _, s := range signs {
		faults = append(faults, s.Faults()...)
	}
	return Stale{append([]mapping.Sign{{Status: http.StatusUnauthorized}}, signs...)}, mapping.Join(faults)
}

// ErrTokenDead is a response to a request of the mapping that speaks of a dead token.
var ErrTokenDead = mapping.Invalid("the API calls the token dead")

// Matches reports whether a whole response shows that the token is dead.
func (s Stale) Matches(a *mapping.Response) bool {
	return slices.ContainsFunc(s.signs, func(sign mapping.Sign) bool { return sign.Matches(a) })
}

// Stale says which responses of u speak of a dead token.
func (u *Upstream) Stale() Stale { return u.stale }

// ReadsBodies reports whether any sign stands in a body, so that bodies must be readable.
func (s Stale) ReadsBodies() bool { return slices.ContainsFunc(s.signs, mapping.Sign.InBody) }

// InHead reports whether a response's head shows that the token is dead, by lines, the
// values of its fields of a name. Where it does not, more says that the body might.
func (s Stale) InHead(status int, lines func(name string) []string) (dead, more bool) {
	for _, sign := range s.signs {
		if !sign.MayMatch(status) {
			continue
		}
		if sign.InBody() {
			more = true
			continue
		}
		a := &mapping.Response{Status: status, Header: http.Header{}}
		if sign.At != nil {
			a.Header[http.CanonicalHeaderKey(sign.At.Header)] = lines(sign.At.Header)
		}
		if sign.Matches(a) {
			return true, false
		}
	}
	return false, more
}

// InBody reports whether a response's document shows that the token is dead.
func (s Stale) InBody(status int, document any) bool {
	a := &mapping.Response{Status: status, Body: document}
	return slices.ContainsFunc(s.signs, func(sign mapping.Sign) bool { return sign.InBody() && sign.Matches(a) })
}
