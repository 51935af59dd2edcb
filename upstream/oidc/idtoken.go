package oidc

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	oidc "github.com/coreos/go-oidc/v3/oidc"
)

// claims of an ID token that go-oidc leaves to the client.
type claims struct {
	IssuedAt *json.Number    `json:"iat"`
	Party    *string         `json:"azp"`
	Hash     *string         `json:"at_hash"`
	Session  string          `json:"sid"`
	ACR      string          `json:"acr"`
	AuthTime *json.Number    `json:"auth_time"`
	Events   json.RawMessage `json:"events"`
}

// ofProtocol are claims that say nothing of the person.
var ofProtocol = []string{"aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash", "sid", "access_token", "refresh_token", "id_token"}

// readIDToken verifies the ID token of a sign-in (OpenID Connect Core 1.0 §3.1.3.7)
// and takes the person from it.
func (p verifier) readIDToken(ctx context.Context, m *Metadata, c Code, t *tokens, r *Result) error {
	if t.ID == "" {
		return failed("token response has none")
	}
	verified, own, err := p.verifyIDToken(ctx, m, t)
	if err != nil {
		return err
	}
	if (p.config.ChecksNonce() || verified.Nonce != "") && (c.Nonce == "" || verified.Nonce != c.Nonce) {
		return failed("nonce is not the one of this attempt")
	}
	if err := p.keptPromises(c, own); err != nil {
		return err
	}
	if err := verified.Claims(&r.User); err != nil {
		return failed("claims are not a JSON object")
	}
	for _, name := range ofProtocol {
		delete(r.User, name)
	}
	r.Subject, r.SessionID, r.ACR = verified.Subject, own.Session, own.ACR
	r.AuthTime, _ = unixTime(own.AuthTime)
	r.IssuedAt, _ = unixTime(own.IssuedAt)
	return nil
}

// verifyIDToken checks what must hold of every ID token, a refreshed one too.
func (p verifier) verifyIDToken(ctx context.Context, m *Metadata, t *tokens) (*oidc.IDToken, *claims, error) {
	verified, err := p.verify(ctx, m, t.ID, &p.forLogins, false)
	if err != nil {
		return nil, nil, err
	}
	jws, err := parseJWS(t.ID, allowed(m))
	if err != nil {
		return nil, nil, failed("token: %w", err) // never: it was read a moment ago
	}
	own := &claims{}
	if verified.Claims(own) != nil {
		return nil, nil, failed("a claim has the wrong type")
	}
	issued, known := unixTime(own.IssuedAt)
	switch {
	case own.Events != nil, !slices.Contains([]string{"", "jwt"}, kind(jws)):
		return nil, nil, failed("it is another kind of token")
	case verified.Subject == "" || len(verified.Subject) > 255:
		return nil, nil, failed("sub is missing or too long")
	case !known:
		return nil, nil, failed("iat is missing")
	case issued.After(p.now().Add(skew)):
		return nil, nil, failed("iat is in the future")
	case !p.isAddressed(verified.Audience, own.Party):
		return nil, nil, failed("aud or azp names somebody else")
	case own.Hash != nil && verified.VerifyAccessToken(t.Access) != nil:
		return nil, nil, failed("at_hash does not fit the access token")
	}
	return verified, own, nil
}

// isAddressed reports whether a token is for us and for nobody whom the operator does
// not know. go-oidc has seen that we are among its audiences.
func (p verifier) isAddressed(audience []string, party *string) bool {
	if party != nil && *party != p.config.ClientID || len(audience) > 1 && party == nil {
		return false
	}
	return !slices.ContainsFunc(audience, func(a string) bool {
		return a != p.config.ClientID && !slices.Contains(p.config.Audiences, a)
	})
}

// keptPromises reports what was asked and not held: the strength of the sign-in, and
// how long ago it may have been.
func (p verifier) keptPromises(c Code, own *claims) error {
	if len(c.ACR) > 0 && !slices.Contains(c.ACR, own.ACR) {
		return failed("acr is not one of those requested")
	}
	if c.MaxAge == nil {
		return nil
	}
	at, known := unixTime(own.AuthTime)
	if !known {
		return failed("max_age was asked for, and auth_time is missing")
	}
	if at.After(p.now().Add(skew)) {
		return failed("auth_time is in the future")
	}
	if p.now().Sub(at) > *c.MaxAge+skew {
		return failed("the person signed in longer ago than max_age")
	}
	return nil
}

// unixTime reads a NumericDate (RFC 7519 §2).
func unixTime(n *json.Number) (time.Time, bool) {
	if n == nil {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil || !(seconds > 0) || seconds > 253402300799 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
