// Package oidc signs people in at a provider's page: OpenID Connect Core 1.0, and
// plain OAuth 2.0 (RFC 6749) where a provider has no issuer. It always uses the
// authorization code with PKCE (RFC 7636, S256).
//
// A [Provider] is one provider of the configuration. It holds no person's state, so
// that one value serves all calls:
//
//	url, err := p.Authorize(ctx, oidc.Request{…})      // where the browser goes
//	err = p.CheckCallback(ctx, oidc.Callback{…})       // iss (RFC 9207), then error; nothing is spent
//	result, err := p.Redeem(ctx, oidc.Code{…})         // code → tokens → ID token → userinfo → admit
//	fresh, err := p.Refresh(ctx, result.Credential, …)
//	url, err = p.EndSessionURL(ctx, oidc.EndSession{…})
//	err = p.SignOut(ctx, result.Credential, …)         // revocation (RFC 7009)
//	logout, err := p.LogoutToken(ctx, token)           // back-channel logout
//
// Discovery and keys are fetched when they are first needed, by one request for all
// who wait, and again when they are old. A provider that is down at the start does no
// harm: the next sign-in tries again. The last good set serves for a day.
//
// Signatures, issuer, audience and expiry of ID tokens and logout tokens are verified
// by coreos/go-oidc over the key set of keys.go; this package adds what OpenID Connect
// leaves to the client (nonce, azp, acr, auth_time, at_hash). There are no switches
// for leaving any of it out, but for nonce at providers that send none.
//
// Errors: [ErrRefused], [ErrInteraction], [ErrAgain], [ErrFailed], [ErrNotAdmitted],
// [upstream.ErrUnreachable], [upstream.ErrTimeout] and, from Refresh, a refusal that
// means the refresh token is dead. Their texts are for the log only: they may hold the
// provider's own words, cut and cleaned ([ProviderError]), but never a token, a code or
// a secret.
package oidc
