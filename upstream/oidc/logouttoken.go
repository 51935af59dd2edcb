package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// logoutEvent names the event of a logout token (OpenID Connect Back-Channel
	// Logout 1.0 §2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutLife is how old a logout token may be.
	logoutLife = 10 * time.Minute
	// maxJTI bounds a token's id, in bytes.
	maxJTI = 255
)

// Logout is a verified logout token. It names a session, a person, or both.
type Logout struct {
	// Issuer, Subject and SessionID are the claims iss, sub and sid; Subject or SessionID
	// may be empty.
	Issuer, Subject, SessionID string
	// ID is unique per token (jti). It must be remembered until Until, when the token
	// could not be used again anyway.
	ID    string
	Until time.Time
	// IssuedAt bounds what it ends: only sessions that began before.
	IssuedAt time.Time
	// Expires is zero where the provider leaves it out.
	Expires time.Time
}

// logoutClaims are those that go-oidc leaves to us, or demands where some providers
// leave them out: exp is not there in older Keycloak and Authentik, so the token is
// verified as any token is, and its own claims are held against §2.6 here.
type logoutClaims struct {
	Session *string                    `json:"sid"`
	Subject *string                    `json:"sub"`
	ID      string                     `json:"jti"`
	Issued  *json.Number               `json:"iat"`
	Expiry  *json.Number               `json:"exp"`
	Events  map[string]json.RawMessage `json:"events"`
	Nonce   json.RawMessage            `json:"nonce"`
}

// LogoutToken verifies a token that the provider sent over the back channel (§2.6).
// Every fault of it is [ErrFailed]. [ErrNoKeys] says that nothing is known of it: the
// provider may try again.
func (p *Provider) LogoutToken(ctx context.Context, token string) (*Logout, error) {
	if !p.config.IsOpenID() {
		return nil, p.within("logout token", ErrUnsupported)
	}
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	l, err := p.logoutToken(ctx, m, token)
	return l, p.within("logout token", err)
}

func (p verifier) logoutToken(ctx context.Context, m *Metadata, token string) (*Logout, error) {
	if err := checkType(token, allowed(m)); err != nil {
		return nil, err
	}
	verified, err := p.verify(ctx, m, token, &p.forLogouts, true)
	if err != nil {
		return nil, err
	}
	own := &logoutClaims{}
	if verified.Claims(own) != nil {
		return nil, failed("a claim has the wrong type")
	}
	l, err := own.read(p.now())
	if err != nil {
		return nil, err
	}
	l.Issuer = verified.Issuer
	return l, nil
}

// checkType refuses tokens of another kind: an ID token without a nonce, an access
// token. Older providers write JWT, or nothing.
func checkType(token string, algs []jose.SignatureAlgorithm) error {
	jws, err := parseJWS(token, algs)
	if err != nil {
		return failed("%w", err)
	}
	if !slices.Contains([]string{"", "jwt", "logout+jwt"}, kind(jws)) {
		return failed("typ is another kind of token")
	}
	return nil
}

func (c *logoutClaims) read(now time.Time) (*Logout, error) {
	l := &Logout{ID: c.ID, Subject: text(c.Subject), SessionID: text(c.Session)}
	issued, known := unixTime(c.Issued)
	l.IssuedAt, l.Until = issued, issued.Add(logoutLife+skew)
	event := bytes.TrimSpace(c.Events[logoutEvent])
	switch {
	case len(event) == 0 || event[0] != '{':
		return nil, failed("events has no back-channel logout")
	case c.Nonce != nil:
		return nil, failed("it has a nonce, as ID tokens have")
	case l.ID == "" || len(l.ID) > maxJTI:
		return nil, failed("jti is missing or too long")
	case l.Subject == "" && l.SessionID == "", len(l.Subject) > 255, len(l.SessionID) > 255:
		return nil, failed("it names neither a session nor a person")
	case !known:
		return nil, failed("iat is missing")
	case issued.After(now.Add(skew)), now.Sub(issued) > logoutLife+skew:
		return nil, failed("iat is not of the last minutes")
	}
	if c.Expiry == nil {
		return l, nil
	}
	if l.Expires, known = unixTime(c.Expiry); !known || now.After(l.Expires.Add(skew)) {
		return nil, failed("it has expired")
	}
	return l, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
