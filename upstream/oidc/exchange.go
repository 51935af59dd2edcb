package oidc

import (
	"context"
	"net/url"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// Parameters of token exchange (RFC 8693 §2.1, §3).
const (
	exchangeGrant   = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
)

// Exchange turns the access token of c into one for another API (RFC 8693). The result
// holds an access token, and its end where the provider says it; never a refresh
// token: it is renewed by exchanging again.
func (p *Provider) Exchange(ctx context.Context, c *credential.Credential, x configs.TokenExchange) (*credential.Credential, error) {
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(c)
	if err != nil {
		return nil, p.within("exchange", err)
	}
	form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {c.Value(credential.AccessToken).Reveal()},
		"subject_token_type": {accessTokenType}, "requested_token_type": {accessTokenType}}
	for name, value := range map[string]string{"audience": x.Audience, "resource": x.Resource, "scope": strings.Join(x.Scopes, " ")} {
		if value != "" {
			form.Set(name, value)
		}
	}
	began := time.Now()
	t, err := p.askTokens(ctx, m, form, key)
	if err == nil && t.Access == "" {
		err = failed("the answer has no access token")
	}
	if p.observe("exchange", began, err) != nil {
		return nil, p.within("exchange", err)
	}
	t.Refresh, t.ID = "", ""
	return t.credential(key), nil
}
