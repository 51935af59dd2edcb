package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// Refresh renews old, and returns the whole renewed credential: what the answer lacks
// keeps its old value, but for tokens that were exchanged for other APIs, which are exchanged
// anew. An ID token that comes along must be of the same issuer, person
// and audience (OpenID Connect Core 1.0 §12.2), or the whole answer is thrown away.
//
// As at an upstream, only a refusal with [mapping.SessionExpired] says that the
// refresh token is dead. After every other error the same token may be tried later.
func (p *Provider) Refresh(ctx context.Context, old *credential.Credential, _ mapping.Caller, _ time.Time) (*credential.Credential, error) {
	if !p.Renews(old) {
		return nil, p.within("refresh", failed("there is nothing to refresh with"))
	}
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	fresh, err := p.refresh(ctx, m, old)
	if p.observe("refresh", began, err) != nil {
		return nil, p.within("refresh", deadOrLater(err))
	}
	return old.WithoutExchanged().Renew(fresh), nil
}

func (p people) refresh(ctx context.Context, m *Metadata, old *credential.Credential) (*credential.Credential, error) {
	key, err := keyOf(old)
	if err != nil {
		return nil, err
	}
	t, err := p.askTokens(ctx, m, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Value(credential.RefreshToken).Reveal()}}, key)
	switch {
	case err != nil:
		return nil, err
	case t.Access == "":
		return nil, failed("token response has no access token")
	case key != nil && !t.bound:
		return nil, failed("the new token is not bound to the key any more")
	case t.ID != "" && p.config.IsOpenID():
		if err := p.judgeIDToken(ctx, m, t, old.Value(IDToken).Reveal()); err != nil {
			p.log.Error("refreshed ID token was refused, the answer is thrown away", "event", "security", "provider", p.name, "reason", err.Error())
			return nil, err
		}
	default:
		t.ID = ""
	}
	return t.credential(key), nil
}

// judgeIDToken verifies a refreshed ID token and holds it against the one before. Where the
// provider's keys are not available it is left out, and the one of before stays: the tokens
// beside it came from the provider itself, and the refresh token of before may be spent.
func (p verifier) judgeIDToken(ctx context.Context, m *Metadata, t *tokens, old string) error {
	now, err := p.refreshedIdentity(ctx, m, t)
	if errors.Is(err, ErrNoKeys) {
		p.log.Warn("refreshed ID token is left out", "provider", p.name, "reason", err.Error())
		now, err = unverified(t.ID)
		t.ID = ""
	}
	if err != nil {
		return fmt.Errorf("id token: %w", err)
	}
	before, err := unverified(old)
	if err != nil {
		return fmt.Errorf("id token: the one of before: %w", err)
	}
	return before.compare(now)
}

func (p verifier) refreshedIdentity(ctx context.Context, m *Metadata, t *tokens) (*identity, error) {
	verified, own, err := p.verifyIDToken(ctx, m, t)
	if err != nil {
		return nil, err
	}
	return &identity{verified.Issuer, verified.Subject, verified.Audience, own.Party, verified.Nonce}, nil
}

// identity is what must not change between two ID tokens of one session.
type identity struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Party    *string  `json:"azp"`
	Nonce    string   `json:"nonce"`
}

func (before *identity) compare(now *identity) error {
	switch {
	case before.Issuer != now.Issuer, before.Subject != now.Subject:
		return failed("id token: it is of another issuer or person than before")
	case !sameMembers(before.Audience, now.Audience):
		return failed("id token: its audience is not the one of before")
	case !sameText(before.Party, now.Party):
		return failed("id token: its azp is not the one of before")
	case now.Nonce != "" && now.Nonce != before.Nonce:
		return failed("id token: its nonce is not the one of before")
	}
	return nil
}

// unverified reads an ID token without its signature: that of the session so far, which was
// verified when it came and has been sealed since, or one whose key is not available.
func unverified(token string) (*identity, error) {
	jws, err := parseJWS(token, algorithms)
	if err != nil {
		return nil, failed("%w", err)
	}
	said := &identity{}
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), said) != nil {
		return nil, failed("a claim has the wrong type")
	}
	return said, nil
}

func sameMembers(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

func sameText(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// ofDeath are the errors that say that a refresh token is dead (RFC 6749 §5.2; GitHub's), or that it is of no use
// until the person was at the provider's page (OpenID Connect Core 1.0 §3.1.2.6; Entra ID's).
var ofDeath = []string{"invalid_grant", "bad_refresh_token", "interaction_required", "login_required", "consent_required"}

// deadOrLater turns an error response into what a session may make of it. A server that
// fails (5xx) says nothing of the token, whatever stands in its answer.
func deadOrLater(err error) error {
	var e *ProviderError
	switch {
	case !errors.As(err, &e):
		return err
	case e.Status < 500 && slices.Contains(ofDeath, e.Code):
		return &mapping.Refusal{Meaning: mapping.SessionExpired}
	case e.Status == http.StatusTooManyRequests || strings.EqualFold(e.Code, "slow_down"):
		return &mapping.Refusal{Meaning: mapping.TooManyAttempts}
	}
	return err
}
