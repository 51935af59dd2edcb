package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/oidc/dpop"
	"coatcheck/upstream/signin"
)

const (
	// maxTokenText bounds an access or refresh token, in bytes.
	maxTokenText = 16 << 10
	// maxLifetime bounds how long a token may say it lives. What says more is not believed.
	maxLifetime = 10 * 365 * 24 * time.Hour
)

// tokens is a token response (RFC 6749 §5.1).
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Type    string `json:"token_type"`
	Ends    any    `json:"expires_in"`
	// Keycloak's name for the end of the refresh token, and GitHub's.
	RefreshEnds      any `json:"refresh_expires_in"`
	RefreshTokenEnds any `json:"refresh_token_expires_in"`

	asked time.Time // when it was asked for: ends err on the early side
	bound bool      // whether the tokens are bound to the key that was shown
}

// askTokens sends one token request: grant_type and what belongs to it. A code or a
// refresh token is sent once; only a provider that asks for a nonce, and so has spent
// nothing, is asked a second time (RFC 9449 §8).
func (p asker) askTokens(ctx context.Context, m *Metadata, form url.Values, key *dpop.Key) (*tokens, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	if resource := p.config.Authorize["resource"]; resource != "" && form.Get("grant_type") != exchangeGrant {
		form.Set("resource", resource) // RFC 8707 §2.2
	}
	asked := p.now()
	reply, err := p.askOnce(ctx, m, form, key)
	if err == nil && key != nil && wantsNonce(reply) {
		reply, err = p.askOnce(ctx, m, form, key)
	}
	if err != nil {
		return nil, err
	}
	t, err := readTokens(reply, key != nil)
	if err != nil {
		return nil, err
	}
	t.asked = asked
	return t, nil
}

func (p asker) askOnce(ctx context.Context, m *Metadata, form url.Values, key *dpop.Key) (*signin.URLResponse, error) {
	address, header := p.endpoint(m.Token, m.MTLS.Token), http.Header{}
	if err := p.authenticate(m, form, header); err != nil {
		return nil, err
	}
	if key != nil {
		proof, err := key.Proof(dpop.Request{Method: http.MethodPost, URL: address, Nonce: p.Nonce(address), Now: p.now()})
		if err != nil {
			return nil, err
		}
		header.Set("DPoP", proof)
	}
	reply, err := ask(ctx, p.auth, signin.URLRequest{Method: http.MethodPost, URL: address, Header: header, Form: form})
	if err != nil {
		return nil, err
	}
	p.NoteNonce(address, reply.Header.Get("DPoP-Nonce"))
	return reply, nil
}

// readTokens reads a token response, whatever its status: GitHub's errors come with 200.
func readTokens(reply *signin.URLResponse, bound bool) (*tokens, error) {
	if err := errorIn(reply); err != nil {
		return nil, err
	}
	t := &tokens{}
	if readExactly(reply.Body, t) != nil {
		return nil, failed("token response is not the JSON object that it should be")
	}
	switch {
	case t.Access != "" && !isTokenText(t.Access), t.Refresh != "" && !isTokenText(t.Refresh):
		return nil, failed("a token in the response is not fit to be sent")
	case t.Type == "", strings.EqualFold(t.Type, "bearer"):
	case bound && strings.EqualFold(t.Type, "DPoP"):
		t.bound = true
	default:
		return nil, failed("token_type is neither Bearer nor what was asked for")
	}
	return t, nil
}

// errorIn returns the error that an answer is; nil where it is none.
func errorIn(reply *signin.URLResponse) error {
	var doc struct {
		Error       any `json:"error"`
		Description any `json:"error_description"`
	}
	_ = readExactly(reply.Body, &doc)
	code, _ := doc.Error.(string)
	description, _ := doc.Description.(string)
	switch {
	case code != "":
		return fmt.Errorf("%w: %w", ErrFailed, providerError(code, description, reply.Status))
	case reply.Status < 200 || reply.Status > 299:
		return failed("status %d", reply.Status)
	}
	return nil
}

// errorCode is the provider's error code in err; "" where there is none.
func errorCode(err error) string {
	var e *ProviderError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// wantsNonce reports whether the provider asks for its nonce in the proof.
func wantsNonce(reply *signin.URLResponse) bool {
	return reply.Header.Get("DPoP-Nonce") != "" && errorCode(errorIn(reply)) == "use_dpop_nonce"
}

// isTokenText reports whether s can be sent in a header without ending it (RFC 6750 §2.1).
func isTokenText(s string) bool {
	return s != "" && len(s) <= maxTokenText && isVisible(s) && !strings.ContainsAny(s, "\",;<")
}

// credential makes a credential of a token response.
func (t *tokens) credential(key *dpop.Key) *credential.Credential {
	values := map[string]credential.Secret{}
	for name, text := range map[string]string{credential.AccessToken: t.Access, credential.RefreshToken: t.Refresh, IDToken: t.ID} {
		if text != "" {
			values[name] = credential.NewSecret(text)
		}
	}
	if key != nil && t.bound {
		values[DPoPKey] = key.Secret()
	}
	refreshEnds := t.end(t.RefreshEnds)
	if refreshEnds.IsZero() {
		refreshEnds = t.end(t.RefreshTokenEnds)
	}
	return credential.New(values, t.end(t.Ends), refreshEnds)
}

// end is when something ends; zero where the provider does not say so in a way that
// can be believed: then the session's own bounds hold.
func (t *tokens) end(v any) time.Time {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 || seconds > maxLifetime.Seconds() {
		return time.Time{}
	}
	return t.asked.Add(time.Duration(seconds * float64(time.Second)))
}
