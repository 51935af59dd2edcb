package oidc

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc/dpop"
)

// Code is an authorization code with what was asked when the attempt began.
type Code struct {
	// Code is the parameter code of the callback.
	Code credential.Secret
	// Verifier is the attempt's PKCE verifier; Nonce, RedirectURI, ACR and MaxAge are
	// as they were in [Request].
	Verifier    credential.Secret
	Nonce       string
	RedirectURI string
	ACR         []string
	MaxAge      *time.Duration
	// DPoP says that the API whose token this is takes tokens bound to a key.
	DPoP bool
}

// Result is a person whom the provider signed in.
type Result struct {
	// Provider is the provider's name in the configuration. Provider and Subject
	// together name the person; an e-mail address never does.
	Provider, Subject string
	// SessionID is the provider's session (sid); empty where it says none.
	SessionID string
	// Credential is never nil. Beside the tokens it may hold [IDToken] and [DPoPKey].
	Credential *credential.Credential
	// User are the person's claims, without those of the protocol.
	User map[string]json.RawMessage
	// ACR and AuthTime say how the person was signed in, where the provider does.
	ACR      string
	AuthTime time.Time
	// IssuedAt is the ID token's iat, by the provider's clock; zero without one.
	IssuedAt time.Time
}

// UserJSON is the user as one JSON object, its keys sorted.
func (r *Result) UserJSON() []byte {
	text, err := json.Marshal(r.User)
	if err != nil {
		return nil // cannot happen: the parts were decoded from JSON
	}
	return text
}

// Redeem turns a code into tokens and a person. The code is sent exactly once. It
// fails with [ErrFailed], [ErrNotAdmitted], [upstream.ErrUnreachable] or
// [upstream.ErrTimeout]; tokens that came with a person who is then refused are revoked.
func (p *Provider) Redeem(ctx context.Context, c Code) (*Result, error) {
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	key, err := p.newKey(m, c.DPoP)
	if err != nil {
		return nil, p.within("token", err)
	}
	t, err := p.redeem(ctx, m, c, key)
	if err != nil {
		return nil, p.within("token", err)
	}
	result, err := p.identify(ctx, m, c, t, key)
	if err != nil {
		_ = p.SignOut(ctx, t.credential(key), mapping.Caller{}) // best effort: nobody will use them
		return nil, err
	}
	return result, nil
}

func (p asker) redeem(ctx context.Context, m *Metadata, c Code, key *dpop.Key) (*tokens, error) {
	began := time.Now()
	t, err := p.askTokens(ctx, m, url.Values{
		"grant_type": {"authorization_code"}, "code": {c.Code.Reveal()},
		"redirect_uri": {c.RedirectURI}, "code_verifier": {c.Verifier.Reveal()},
	}, key)
	if err == nil && t.Access == "" {
		err = failed("token response has no access token")
	}
	if err == nil && p.config.DPoP == "required" && !t.bound {
		err = failed("the provider bound no token to the key")
	}
	return t, p.observe("token", began, err)
}

// identify finds out who signed in, and whether they may.
func (p people) identify(ctx context.Context, m *Metadata, c Code, t *tokens, key *dpop.Key) (*Result, error) {
	if !p.config.IsOpenID() {
		t.ID = "" // nobody would verify it
	}
	r := &Result{Provider: p.name, Credential: t.credential(key)}
	switch {
	case p.config.IsOpenID():
		if err := p.readIDToken(ctx, m, c, t, r); err != nil {
			return nil, p.within("id token", err)
		}
		if p.config.Userinfo {
			if err := p.mergeUserinfo(ctx, m, r); err != nil {
				return nil, p.within("userinfo", err)
			}
		}
	default:
		if err := p.readUser(ctx, m, r); err != nil {
			return nil, p.within("user", err)
		}
	}
	if err := p.Admit(r.User); err != nil {
		return nil, err
	}
	return r, nil
}
