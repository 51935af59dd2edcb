package oidc

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// SignOut revokes a credential's tokens (RFC 7009): the refresh token, which takes its
// access tokens along, or else the access token. It is best effort: nil where the
// provider offers no revocation, and whatever the provider answers is fine.
func (p *Provider) SignOut(ctx context.Context, c *credential.Credential, _ mapping.Caller) error {
	m, err := p.Metadata(ctx)
	if err != nil || m.Revocation == "" {
		return err
	}
	name := credential.RefreshToken
	if !c.CanRefresh() {
		name = credential.AccessToken
	}
	if c.Value(name).IsEmpty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	began := time.Now()
	form, header := url.Values{"token": {c.Value(name).Reveal()}, "token_type_hint": {name}}, http.Header{}
	if err := p.authenticate(m, form, header); err != nil {
		return p.within("revocation", err)
	}
	_, err = ask(ctx, p.auth, signin.URLRequest{Method: http.MethodPost, URL: p.endpoint(m.Revocation, m.MTLS.Revocation), Header: header, Form: form})
	return p.within("revocation", p.observe("revocation", began, err))
}

// maxHint bounds the ID token that goes along as a hint, in bytes: a longer one would
// not fit into many servers' request lines.
const maxHint = 4 << 10

// EndSession is a sign-out at the provider (OpenID Connect RP-Initiated Logout 1.0).
type EndSession struct {
	// IDToken is the session's last ID token, LogoutHint what else names the person.
	IDToken    credential.Secret
	LogoutHint string
	// RedirectURI is where the browser comes back to, registered at the provider.
	RedirectURI string
	// State comes back with the browser; may be empty.
	State string
}

// EndSessionURL returns the address that ends the person's session at the provider;
// [ErrUnsupported] where it has none, or where only ours is to be ended. The address
// holds the ID token: no page and no log may see it.
func (p *Provider) EndSessionURL(ctx context.Context, e EndSession) (credential.Secret, error) {
	if !p.config.EndsProviderSession() {
		return credential.Secret{}, ErrUnsupported
	}
	if p.config.EndSession != "" {
		return credential.NewSecret(p.fill(p.config.EndSession, e)), nil
	}
	m, err := p.Metadata(ctx)
	if err != nil {
		return credential.Secret{}, err
	}
	if m.EndSession == "" {
		return credential.Secret{}, ErrUnsupported
	}
	q := url.Values{"client_id": {p.config.ClientID}}
	if hint := e.hint(); hint != "" {
		q.Set("id_token_hint", hint)
	} else if e.LogoutHint != "" {
		q.Set("logout_hint", e.LogoutHint)
	}
	if e.RedirectURI != "" {
		q.Set("post_logout_redirect_uri", e.RedirectURI)
	}
	if e.State != "" {
		q.Set("state", e.State)
	}
	return credential.NewSecret(withQuery(m.EndSession, q)), nil
}

// hint is the ID token where it is short enough to be sent.
func (e *EndSession) hint() string {
	if e.IDToken.Len() > maxHint {
		return ""
	}
	return e.IDToken.Reveal()
}

// fill puts values into the configured address.
func (p asker) fill(address string, e EndSession) string {
	escape := url.QueryEscape
	return strings.NewReplacer("{client_id}", escape(p.config.ClientID), "{post_logout_redirect_uri}", escape(e.RedirectURI),
		"{id_token}", escape(e.hint()), "{logout_hint}", escape(e.LogoutHint), "{state}", escape(e.State)).Replace(address)
}
