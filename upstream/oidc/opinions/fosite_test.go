package opinions_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

const fositeRedirect = "http://localhost:3846/callback"

// ory is a provider around ory's fosite, which says yes to everybody.
type ory struct {
	issuer string
	key    *rsa.PrivateKey
	oauth  fosite.OAuth2Provider
}

func newOry(t *testing.T) *ory {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := &ory{key: key}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.issuer = server.URL
	config := &fosite.Config{GlobalSecret: []byte("thirty-two bytes, only for tests"), EnforcePKCE: true, IDTokenIssuer: o.issuer, RefreshTokenScopes: []string{"offline"}, TokenURL: o.issuer + "/token", ScopeStrategy: fosite.ExactScopeStrategy}
	o.oauth = compose.ComposeAllEnabled(config, storage.NewExampleStore(), key)
	return o
}

// ServeHTTP implements [http.Handler].
func (o *ory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch ctx := r.Context(); r.URL.Path {
	case "/auth":
		q, err := o.oauth.NewAuthorizeRequest(ctx, r)
		if err != nil {
			o.oauth.WriteAuthorizeError(ctx, w, q, err)
			return
		}
		for _, scope := range q.GetRequestedScopes() {
			q.GrantScope(scope)
		}
		answer, err := o.oauth.NewAuthorizeResponse(ctx, q, o.session())
		if err != nil {
			o.oauth.WriteAuthorizeError(ctx, w, q, err)
			return
		}
		o.oauth.WriteAuthorizeResponse(ctx, w, q, answer)
	case "/token":
		q, err := o.oauth.NewAccessRequest(ctx, r, &openid.DefaultSession{})
		if err != nil {
			o.oauth.WriteAccessError(ctx, w, q, err)
			return
		}
		answer, err := o.oauth.NewAccessResponse(ctx, q)
		if err != nil {
			o.oauth.WriteAccessError(ctx, w, q, err)
			return
		}
		o.oauth.WriteAccessResponse(ctx, w, q, answer)
	case "/par":
		q, err := o.oauth.NewPushedAuthorizeRequest(ctx, r)
		if err != nil {
			o.oauth.WritePushedAuthorizeError(ctx, w, q, err)
			return
		}
		answer, err := o.oauth.NewPushedAuthorizeResponse(ctx, q, o.session())
		if err != nil {
			o.oauth.WritePushedAuthorizeError(ctx, w, q, err)
			return
		}
		o.oauth.WritePushedAuthorizeResponse(ctx, w, q, answer)
	case "/revoke":
		o.oauth.WriteRevocationResponse(ctx, w, o.oauth.NewRevocationRequest(ctx, r))
	case "/keys":
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: o.key.Public(), KeyID: "k", Use: "sig"}}})
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": o.issuer, "authorization_endpoint": o.issuer + "/auth", "token_endpoint": o.issuer + "/token",
			"jwks_uri": o.issuer + "/keys", "revocation_endpoint": o.issuer + "/revoke", "pushed_authorization_request_endpoint": o.issuer + "/par"})
	}
}

func (o *ory) session() *openid.DefaultSession {
	return &openid.DefaultSession{Subject: "peter", Username: "peter", Claims: &jwt.IDTokenClaims{Issuer: o.issuer, Subject: "peter", ExpiresAt: time.Now().Add(time.Hour), AuthTime: time.Now(), RequestedAt: time.Now()},
		Headers: &jwt.Headers{Extra: map[string]any{"kid": "k"}}}
}

// TestFosite: also with a client whose name and secret must be escaped (RFC 6749 §2.3.1),
// and with pushed requests; a refresh token that comes twice ends its family.
func TestFosite(t *testing.T) {
	o := newOry(t)
	for _, row := range []struct{ id, secret, par string }{{"my-client", "foobar", "off"}, {"encoded:client", "encoded&password", "off"}, {"my-client", "foobar", "required"}} {
		t.Run(row.id+" "+row.par, func(t *testing.T) { o.lives(t, row.id, row.secret, row.par) })
	}
}

func (o *ory) lives(t *testing.T, id, secret, par string) {
	ctx := context.Background()
	p, err := oidc.New("fosite", &configs.Provider{Issuer: o.issuer, ProviderClient: configs.ProviderClient{ClientID: id, ClientSecret: credential.NewSecret(secret), ClientAuth: "auto"}, PAR: par, DPoP: "off",
		ProviderClaims: configs.ProviderClaims{Nonce: "on"}, Scopes: []string{"openid", "offline"}, ProviderConnection: configs.ProviderConnection{Timeout: 2 * time.Minute}}, oidc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	verifier := credential.NewSecret(strings.Repeat("v", 43))
	address, err := p.Authorize(ctx, oidc.Request{RedirectURI: fositeRedirect, State: "state-of-this-attempt", Nonce: "nonce-of-this-attempt", Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	back, _ := url.Parse(answer.Header.Get("Location"))
	if back == nil || back.Query().Get("code") == "" {
		t.Fatalf("%d %v", answer.StatusCode, back)
	}
	code := oidc.Code{Code: credential.NewSecret(back.Query().Get("code")), Verifier: verifier, Nonce: "nonce-of-this-attempt", RedirectURI: fositeRedirect}
	result, err := p.Redeem(ctx, code)
	if err != nil || result.Subject != "peter" {
		t.Fatal(result, err)
	}
	refresh := func(c *credential.Credential) (*credential.Credential, error) {
		return p.Refresh(ctx, c, mapping.Caller{}, time.Now())
	}
	fresh, err := refresh(result.Credential)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err = refresh(fresh); err != nil {
		t.Fatal(err)
	}
	var refusal *mapping.Refusal
	if _, err := refresh(result.Credential); !errors.As(err, &refusal) || refusal.Meaning != mapping.SessionExpired {
		t.Errorf("a refresh token was used twice: %v", err)
	}
	if err := p.SignOut(ctx, fresh, mapping.Caller{}); err != nil {
		t.Error(err)
	}
}
