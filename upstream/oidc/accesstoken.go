package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	oidc "github.com/coreos/go-oidc/v3/oidc"
)

// accessClaims are those of an access token that go-oidc leaves to us.
type accessClaims struct {
	IssuedAt *json.Number    `json:"iat"`
	Bound    json.RawMessage `json:"cnf"`
	Events   json.RawMessage `json:"events"`
}

// AccessToken verifies a JWT access token (RFC 9068) that a program presents, and returns
// its claims and audiences: it is signed by a key that the provider publishes, of this issuer, valid
// now, and one of its audiences is one of audiences. A token that is bound to a key
// (RFC 7800) is refused: without a proof of that key it is somebody else's.
//
// Every fault of the token is [ErrFailed]. [ErrNoKeys] says that nothing is known of it. Nothing is fetched for a token that could not be
// right whatever its signature is.
func (p verifier) AccessToken(ctx context.Context, token string, audiences []string) (claims []byte, audience []string, err error) {
	if _, err := p.InspectAccessToken(token, audiences); err != nil {
		return nil, nil, err
	}
	verified, err := p.accessToken(ctx, token, audiences)
	if err != nil {
		return nil, nil, p.within("access token", err)
	}
	var all json.RawMessage
	if verified.Claims(&all) != nil {
		return nil, nil, p.within("access token", failed("claims are not a JSON object"))
	}
	return all, verified.Audience, nil
}

// InspectAccessToken is what [Provider.AccessToken] checks before it asks for keys: the
// form, and what the token claims, which it returns. It proves nothing.
func (p verifier) InspectAccessToken(token string, audiences []string) (claims []byte, err error) {
	claims, err = p.inspectAccessToken(token, audiences)
	return claims, p.within("access token", err)
}

func (p verifier) inspectAccessToken(token string, audiences []string) ([]byte, error) {
	if !p.config.HasIssuer() {
		return nil, ErrUnsupported
	}
	jws, err := parseJWS(token, algorithms)
	if err != nil {
		return nil, failed("not a JWT signed by a public key")
	}
	if !slices.Contains([]string{"", "jwt", "at+jwt"}, kind(jws)) {
		return nil, failed("typ is another kind of token")
	}
	var said struct {
		Issuer   string       `json:"iss"`
		Audience audience     `json:"aud"`
		Expiry   *json.Number `json:"exp"`
	}
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &said) != nil {
		return nil, failed("claims are not a JSON object, or one has the wrong type")
	}
	expires, known := unixTime(said.Expiry)
	switch {
	case said.Issuer != p.config.Issuer:
		return nil, failed("token is of another issuer")
	case !known || p.now().After(expires.Add(skew)):
		return nil, failed("token has expired, or does not say when it does")
	case !meant(said.Audience, audiences):
		return nil, failed("token is for other audiences")
	}
	return jws.UnsafePayloadWithoutVerification(), nil
}

// audience is one text or a list of them (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func meant(audience, wanted []string) bool {
	return slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(wanted, a) })
}

func (p verifier) accessToken(ctx context.Context, token string, audiences []string) (*oidc.IDToken, error) {
	keys := &verifyingKeys{p: p, a: &p.forCallers, algorithms: algorithms}
	names := make([]string, len(algorithms))
	for i, alg := range algorithms {
		names[i] = string(alg)
	}
	verified, err := oidc.NewVerifier(p.config.Issuer, keys, &oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: names,
		Now: func() time.Time { return p.now().Add(-skew) }}).Verify(ctx, token)
	switch {
	case errors.Is(keys.err, ErrNoKeys):
		return nil, keys.err
	case err != nil:
		return nil, failed("token: %s", refusal(err))
	case verified.Issuer != p.config.Issuer: // go-oidc knows an exception for Google
		return nil, failed("token is of another issuer")
	case !meant(verified.Audience, audiences):
		return nil, failed("token is for other audiences")
	}
	var own accessClaims
	if verified.Claims(&own) != nil {
		return nil, failed("a claim has the wrong type")
	}
	issued, known := unixTime(own.IssuedAt)
	switch {
	case own.IssuedAt != nil && !known, issued.After(p.now().Add(skew)):
		return nil, failed("iat is in the future")
	case own.Bound != nil:
		return nil, failed("token is bound to a key, which the call does not prove to have")
	case own.Events != nil:
		return nil, failed("token is one of events, as logout tokens are")
	}
	return verified, p.isSound(verified)
}
