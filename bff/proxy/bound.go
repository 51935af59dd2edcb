package proxy

import (
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
	"coatcheck/upstream/oidc/dpop"
)

// useNonce is the error by which an API says that a proof lacks its nonce (RFC 9449 §9).
const useNonce = "use_dpop_nonce"

// provers is what calls with tokens that are bound to a key need (DPoP, RFC 9449): the
// keys, ready to sign, and what the APIs said of nonces.
type provers struct {
	keys   dpop.Keys
	nonces dpop.Nonces // by the origin of the API
}

// prove makes the proof for the call under way; empty where the token that goes along is
// not bound, or none goes.
func (x *roundTrip) prove(c *credential.Credential) (string, error) {
	if !c.IsBound() || c.Value(credential.AccessToken).IsEmpty() || !x.target.up.SendsToken() {
		return "", nil
	}
	key, err := x.proxy.provers.keys.Of(x.who.Credential()) // of an exchanged token, too
	if err != nil {
		return "", err
	}
	call, r := x.call, x.call.Route()
	scheme, _, _ := strings.Cut(r.Origin, "://")
	room := make([]byte, 0, 256)
	room = append(append(append(room, scheme...), "://"...), r.Host...)
	room = append(append(room, r.Base...), call.Decision.Forwarded...)
	return key.Proof(dpop.Request{Method: string(call.Request.Head.Method), URL: string(room),
		AccessToken: c.Value(credential.AccessToken), Nonce: x.proxy.provers.nonces.Get(r.Origin), Now: time.Now()})
}

// appendProven appends a bound token and its proof (RFC 9449 §7.1).
func appendProven(b []byte, c *credential.Credential, proof string) []byte {
	b = c.Value(credential.AccessToken).AppendReveal(append(b, "Authorization: DPoP "...))
	return append(append(append(b, "\r\nDPoP: "...), proof...), "\r\n"...)
}

// wantsNonce keeps the nonce of an answer, and reports whether the API demands it.
func (x *roundTrip) wantsNonce() bool {
	nonce, lines := field(x.answer.Fields, "dpop-nonce")
	if lines == 1 {
		x.proxy.provers.nonces.Note(x.call.Route().Origin, string(nonce))
	}
	return x.answer.Status == 401 && lines == 1 && demands(x.answer.Fields, useNonce)
}

// demands reports whether a challenge of the scheme DPoP says this error.
func demands(fields []http1.Field, what string) bool {
	found := false
	http1.EachChallenge(fields, func(scheme string, p map[string]string) bool {
		found = scheme == "dpop" && p["error"] == what
		return !found
	})
	return found
}
