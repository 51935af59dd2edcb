package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

// Request is what a sign-in asks the provider for.
type Request struct {
	// RedirectURI is where the browser comes back to; the same bytes go to [Code].
	RedirectURI string
	// State comes back as it is. Nonce is bound into the ID token.
	State, Nonce string
	// Verifier is the PKCE code verifier (RFC 7636 §4.1); its S256 challenge is sent.
	Verifier credential.Secret
	// Prompt, LoginHint and UILocales go along where they are not empty.
	Prompt, LoginHint, UILocales string
	// ACR are values of acr_values; MaxAge is max_age. nil: not asked.
	ACR    []string
	MaxAge *time.Duration
}

// Authorize returns the address that the browser goes to. Where the provider takes
// pushed requests (RFC 9126) it asks the provider first; else, once the metadata is
// known, it calls nobody.
func (p *Provider) Authorize(ctx context.Context, r Request) (string, error) {
	m, err := p.Metadata(ctx)
	if err != nil {
		return "", err
	}
	query := Parameters(p.config, r)
	if m.pushes(p.config.PAR) {
		uri, err := p.push(ctx, m, query)
		if err != nil {
			return "", p.within("par", err)
		}
		query = url.Values{"client_id": {p.config.ClientID}, "request_uri": {uri}}
	} else if p.config.PAR == "required" {
		return "", p.within("par", failed("metadata has no pushed_authorization_request_endpoint"))
	}
	return withQuery(m.Authorization, query), nil
}

// Parameters are those of an authorization request. What the request says wins over the
// configuration's constants, and the protocol's own over both.
func Parameters(c *configs.Provider, r Request) url.Values {
	q := url.Values{}
	for name, value := range c.Authorize {
		q.Set(name, value)
	}
	asked := map[string]string{"prompt": r.Prompt, "login_hint": r.LoginHint, "ui_locales": r.UILocales, "acr_values": strings.Join(r.ACR, " ")}
	if r.MaxAge != nil {
		asked["max_age"] = strconv.FormatInt(int64(*r.MaxAge/time.Second), 10)
	}
	maps.Copy(asked, map[string]string{
		"response_type": "code", "client_id": c.ClientID, "redirect_uri": r.RedirectURI, "state": r.State,
		"scope": strings.Join(c.Scopes, " "), "code_challenge": challenge(r.Verifier), "code_challenge_method": "S256",
	})
	if c.IsOpenID() {
		asked["nonce"] = r.Nonce
	}
	for name, value := range asked {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// challenge is the S256 code challenge of a verifier (RFC 7636 §4.2).
func challenge(verifier credential.Secret) string {
	sum := sha256.Sum256(verifier.AppendReveal(nil))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// withQuery appends a query to an address that may have one.
func withQuery(address string, q url.Values) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + q.Encode()
}

// pushes reports whether authorization requests are pushed.
func (m *Metadata) pushes(par string) bool {
	return m.Pushed != "" && (par != "off" || m.RequirePushed)
}

// push sends the request to the provider and returns the reference to it (RFC 9126 §2).
func (p asker) push(ctx context.Context, m *Metadata, q url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	began := time.Now()
	header := http.Header{}
	if err := p.authenticate(m, q, header); err != nil {
		return "", err
	}
	q.Set("client_id", p.config.ClientID) // a parameter of the request itself (RFC 9126 §2.1), whatever proves the client
	reply, err := ask(ctx, p.auth, signin.URLRequest{Method: http.MethodPost, URL: p.endpoint(m.Pushed, m.MTLS.Pushed), Header: header, Form: q})
	if p.observe("par", began, err) != nil {
		return "", err
	}
	var doc struct {
		URI string `json:"request_uri"`
	}
	if err := errorIn(reply); err != nil {
		return "", err
	}
	if readExactly(reply.Body, &doc) != nil || doc.URI == "" || len(doc.URI) > 2048 || !isVisible(doc.URI) {
		return "", failed("answer has no request_uri")
	}
	return doc.URI, nil
}

// endpoint is the address of an endpoint at which the client proves itself.
func (p *link) endpoint(usual, mtls string) string {
	if p.config.ClientCert != "" && mtls != "" {
		return mtls
	}
	return usual
}
