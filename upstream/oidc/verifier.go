package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	oidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"coatcheck/upstream/oidc/lastgood"
)

// maxToken bounds an ID token or logout token, in bytes.
const maxToken = 64 << 10

// errUnknownKey says that a token names a key that the provider does not publish.
var errUnknownKey = errors.New("signed by a key that the provider does not publish")

// verify verifies a token's signature, issuer, audience and expiry, by go-oidc over our
// own key set. skipExpiry is for logout tokens, which may have no exp.
func (p verifier) verify(ctx context.Context, m *Metadata, token string, a *lastgood.Allowance, skipExpiry bool) (*oidc.IDToken, error) {
	keys := &verifyingKeys{p: p, a: a, algorithms: allowed(m)}
	verified, err := oidc.NewVerifier(p.config.Issuer, keys, &oidc.Config{
		ClientID: p.config.ClientID, SupportedSigningAlgs: algorithmNames(m), SkipExpiryCheck: skipExpiry,
		Now: func() time.Time { return p.now().Add(-skew) },
	}).Verify(ctx, token)
	switch {
	case errors.Is(keys.err, ErrNoKeys):
		return nil, keys.err // the token is not to blame
	case err != nil:
		return nil, failed("token: %s", refusal(err))
	case verified.Issuer != p.config.Issuer: // go-oidc knows an exception for Google
		return nil, failed("token is of another issuer")
	}
	return verified, p.isSound(verified)
}

// registered are the claims on which decisions rest.
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "at_hash", "acr", "auth_time", "sid", "events", "cnf"}

// times are the claims that are numbers (RFC 7519 §2, NumericDate).
var times = []string{"exp", "nbf", "iat", "auth_time"}

// isSound checks what go-oidc is lax about: it reads the names of claims whatever their
// case, so that "SUB" would replace "sub", takes text for a number, and lets a token begin
// five minutes from now.
func (p verifier) isSound(t *oidc.IDToken) error {
	var all map[string]json.RawMessage
	if t.Claims(&all) != nil {
		return failed("claims are not a JSON object")
	}
	for name := range all {
		if slices.ContainsFunc(registered, func(r string) bool { return name != r && strings.EqualFold(name, r) }) {
			return failed("a claim has the name of a registered one in other letters")
		}
	}
	for _, name := range times {
		if bytes.HasPrefix(all[name], []byte{'"'}) {
			return failed("%s is not a number", name)
		}
	}
	var from *json.Number
	if all["nbf"] != nil && json.Unmarshal(all["nbf"], &from) != nil {
		return failed("nbf is not a time")
	}
	if begins, _ := unixTime(from); begins.After(p.now().Add(skew)) {
		return failed("nbf is in the future")
	}
	return nil
}

// allowed are the algorithms that both the provider and we know; RS256 where the
// provider does not say (OpenID Connect Core 1.0 §3.1.3.7).
func allowed(m *Metadata) []jose.SignatureAlgorithm {
	if len(m.Algorithms) == 0 {
		return []jose.SignatureAlgorithm{jose.RS256}
	}
	return slices.DeleteFunc(slices.Clone(algorithms), func(alg jose.SignatureAlgorithm) bool {
		return !slices.Contains(m.Algorithms, string(alg))
	})
}

// SignsUsably reports whether the provider announces an algorithm that is taken here.
func (m *Metadata) SignsUsably() bool { return len(allowed(m)) > 0 }

// algorithmNames are the names of allowed; one that nobody has where there are none,
// because go-oidc takes an empty list for its own default.
func algorithmNames(m *Metadata) []string {
	names := []string{}
	for _, alg := range allowed(m) {
		names = append(names, string(alg))
	}
	if len(names) == 0 {
		names = append(names, "no algorithm in common")
	}
	return names
}

// verifyingKeys is the key set that go-oidc asks about one token.
type verifyingKeys struct {
	p          verifier
	a          *lastgood.Allowance
	algorithms []jose.SignatureAlgorithm
	err        error // why there is no key; go-oidc keeps only its text
}

// VerifySignature implements go-oidc's KeySet. A key that the token brings along in
// its header is never looked at.
func (v *verifyingKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := parseJWS(token, v.algorithms)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Protected
	key, err := v.p.key(ctx, v.a, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		v.err = err
		return nil, err
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, errors.New("signature does not fit")
	}
	return payload, nil
}

// parseJWS reads a compact token signed with one of algs.
func parseJWS(token string, algs []jose.SignatureAlgorithm) (*jose.JSONWebSignature, error) {
	if len(token) > maxToken || !isVisible(token) {
		return nil, errors.New("token is too long, or has other characters than a token")
	}
	jws, err := jose.ParseSignedCompact(token, algs)
	if err != nil {
		return nil, errors.New("not a token signed with an algorithm that the provider announces")
	}
	if _, there := jws.Signatures[0].Protected.ExtraHeaders["crit"]; there { // RFC 7515 §4.1.11
		return nil, errors.New("token has an extension that must be understood")
	}
	return jws, nil
}

// kind is a token's typ (RFC 8725 §3.11), in lower case and without "application/"; "" where it
// has none.
func kind(jws *jose.JSONWebSignature) string {
	typ, there := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]
	text, _ := typ.(string)
	if there && text == "" {
		return "unreadable"
	}
	return strings.TrimPrefix(strings.ToLower(text), "application/")
}

// key finds the key of a signature. One that is not known makes the keys be fetched
// anew, once in a while, and is then looked for again: so the very sign-in that meets
// a rotated key succeeds. Errors: [ErrNoKeys], and errUnknownKey, which is the token's fault.
func (p verifier) key(ctx context.Context, a *lastgood.Allowance, kid string, alg jose.SignatureAlgorithm) (*jose.JSONWebKey, error) {
	if key, err := p.knownKey(ctx, kid, alg); !errors.Is(err, errUnknownKey) {
		return key, err
	}
	if err := p.keys.Again(ctx, func() bool { return a.Take(p.now()) }); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKeys, err)
	}
	return p.knownKey(ctx, kid, alg) // others may have fetched them meanwhile
}

func (p verifier) knownKey(ctx context.Context, kid string, alg jose.SignatureAlgorithm) (*jose.JSONWebKey, error) {
	set, err := p.keys.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKeys, err)
	}
	if key, ok := set.find(kid, alg); ok {
		return key, nil
	}
	return nil, errUnknownKey
}
