package oidc

import (
	"context"
	"fmt"
)

// Callback is what came back with the browser.
type Callback struct {
	// Issuer is the parameter iss (RFC 9207), empty where none came.
	Issuer string
	// Error and Description are the parameters error and error_description.
	Error, Description string
}

// CheckCallback holds an authorization response against the issuer (RFC 9207 §2.4),
// then reads its error. Nothing is redeemed, and nothing is spent: it comes before the
// attempt is marked as used.
func (p *Provider) CheckCallback(ctx context.Context, c Callback) error {
	if p.config.HasIssuer() {
		m, err := p.Metadata(ctx)
		if err != nil {
			return err
		}
		switch {
		case c.Issuer == "" && m.SendsIssuer:
			return p.within("callback", failed("the response names no issuer, although the provider announces that it does"))
		case c.Issuer != "" && c.Issuer != p.config.Issuer:
			return p.within("callback", failed("the response is of another issuer"))
		}
	}
	if c.Error == "" {
		return nil
	}
	return p.within("callback", fmt.Errorf("%w: %w", meaning(c.Error), providerError(c.Error, c.Description, 0)))
}

// meaning of an error in an authorization response (RFC 6749 §4.1.2.1, OpenID Connect
// Core 1.0 §3.1.2.6, and what Slack, LinkedIn and Apple say instead of access_denied).
func meaning(code string) error {
	switch code {
	case "access_denied", "user_cancelled_login", "user_cancelled_authorize", "user_cancelled_authorization":
		return ErrRefused
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return ErrInteraction
	case "temporarily_unavailable":
		return ErrAgain
	}
	return ErrFailed
}
