package oidc_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

func authorize(t *testing.T, p *oidc.Provider, q oidc.Request) *url.URL {
	t.Helper()
	address, err := p.Authorize(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestAuthorizationRequest: everything that was asked goes along, each once, and the
// verifier never does.
func TestAuthorizationRequest(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) {
		c.Authorize = map[string]string{"audience": "orders", "prompt": "consent"}
	})
	q, hour := request(), time.Hour
	q.Prompt, q.LoginHint, q.UILocales, q.ACR, q.MaxAge = "login", "ada@shop.example", "de en", []string{"gold", "silver"}, &hour
	got := authorize(t, r.client, q)
	want := url.Values{"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirectURI}, "scope": {"openid email profile"}, "state": {"shop.state"},
		"nonce": {nonce}, "code_challenge_method": {"S256"}, "audience": {"orders"}, "prompt": {"login"}, "login_hint": {"ada@shop.example"},
		"ui_locales": {"de en"}, "acr_values": {"gold silver"}, "max_age": {"3600"}}
	query := got.Query()
	if len(query.Get("code_challenge")) != 43 {
		t.Error(query.Get("code_challenge"))
	}
	query.Del("code_challenge")
	if query.Encode() != want.Encode() {
		t.Errorf("%v\nwant %v", query, want)
	}
	if got.Path != "/authorize" || strings.Contains(got.String(), "MARKED") {
		t.Error(got)
	}
	zero := time.Duration(0)
	q = request()
	q.MaxAge = &zero
	if got := authorize(t, r.client, q).Query(); got.Get("max_age") != "0" || got.Get("prompt") != "consent" {
		t.Errorf("%v", got)
	}
}

// TestPushedRequest: parameters go over the back channel, and the browser carries a
// reference only.
func TestPushedRequest(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) { c.PAR = "auto" })
	got := authorize(t, r.client, request()).Query()
	if len(got) != 2 || got.Get("client_id") != clientID || !strings.HasPrefix(got.Get("request_uri"), "urn:") {
		t.Errorf("%v", got)
	}
	if calls := r.requests("/par"); len(calls) != 1 || calls[0].form.Get("state") != "shop.state" || calls[0].form.Has("client_secret") {
		t.Errorf("%v", calls)
	}
	if result := r.mustSignIn(nil, nil); result.Subject != "p-1" {
		t.Error(result.Subject)
	}
	for _, sin := range []provider.Sin{provider.PushedRefused, provider.PushedWithoutReference} {
		r.idp.Commit(sin)
		if _, err := r.client.Authorize(context.Background(), request()); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%s: %v", sin, err)
		} else {
			mustBeClean(t, err.Error())
		}
	}
	r = newRig(t, func(c *configs.Provider, o *provider.Options) { c.PAR, o.NoPAR = "required", true })
	if _, err := r.client.Authorize(context.Background(), request()); !errors.Is(err, oidc.ErrFailed) {
		t.Errorf("required, and not there: %v", err)
	}
	r = newRig(t, func(c *configs.Provider, o *provider.Options) { c.PAR, o.NoPAR = "auto", true })
	r.mustSignIn(nil, nil)
}

// TestCallbacks: iss comes before error (RFC 9207), error before the code.
func TestCallbacks(t *testing.T) {
	r := newRig(t, nil)
	own := r.config.Issuer
	for _, row := range []struct {
		what string
		oidc.Callback
		want error
	}{
		{"good", oidc.Callback{Issuer: own}, nil},
		{"mix-up", oidc.Callback{Issuer: "https://evil.example"}, oidc.ErrFailed},
		{"a slash more", oidc.Callback{Issuer: own + "/"}, oidc.ErrFailed},
		{"no issuer, although announced", oidc.Callback{}, oidc.ErrFailed},
		{"an error of another issuer", oidc.Callback{Issuer: "https://evil.example", Error: "access_denied"}, oidc.ErrFailed},
		{"denied", oidc.Callback{Issuer: own, Error: "access_denied"}, oidc.ErrRefused},
		{"denied at LinkedIn", oidc.Callback{Issuer: own, Error: "user_cancelled_login"}, oidc.ErrRefused},
		{"nobody is signed in there", oidc.Callback{Issuer: own, Error: "login_required"}, oidc.ErrInteraction},
		{"consent", oidc.Callback{Issuer: own, Error: "consent_required"}, oidc.ErrInteraction},
		{"later", oidc.Callback{Issuer: own, Error: "temporarily_unavailable"}, oidc.ErrAgain},
		{"oidcc-client-test-form-post-error", oidc.Callback{Issuer: own, Error: "server_error", Description: "<b>\r\n\x1b[2J" + strings.Repeat("x", 5000)}, oidc.ErrFailed},
		{"made up", oidc.Callback{Issuer: own, Error: strings.Repeat("é", 500)}, oidc.ErrFailed},
	} {
		err := r.client.CheckCallback(context.Background(), row.Callback)
		if !isOutcome(err, row.want) {
			t.Errorf("%s: %v", row.what, err)
		}
		if err != nil {
			mustBeClean(t, err.Error())
		}
	}
	var said *oidc.ProviderError
	if err := r.client.CheckCallback(context.Background(), oidc.Callback{Issuer: own, Error: "access_denied", Description: "no"}); !errors.As(err, &said) || said.Code != "access_denied" || said.Description != "no" {
		t.Errorf("%+v", said)
	}
}

// TestStolenCodes: a code without its verifier, at another redirect URI, or a second
// time is good for nothing, and a code brought into another attempt fails at the nonce.
func TestStolenCodes(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, nil)
	code := func() credential.Secret {
		return credential.NewSecret(r.browse(authorize(t, r.client, request()).String()).Get("code"))
	}
	good := oidc.Code{Verifier: credential.NewSecret(verifier), Nonce: nonce, RedirectURI: redirectURI}
	for what, change := range map[string]func(*oidc.Code){
		"without its verifier":    func(c *oidc.Code) { c.Verifier = credential.Secret{} },
		"another verifier":        func(c *oidc.Code) { c.Verifier = credential.NewSecret(strings.Repeat("v", 43)) },
		"another redirect URI":    func(c *oidc.Code) { c.RedirectURI = "https://evil.example/callback" },
		"another attempt's nonce": func(c *oidc.Code) { c.Nonce = "of another attempt" },
		"no nonce":                func(c *oidc.Code) { c.Nonce = "" },
		"made up":                 func(c *oidc.Code) { c.Code = credential.NewSecret("made-up") },
	} {
		c := good
		c.Code = code()
		change(&c)
		if _, err := r.client.Redeem(ctx, c); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	c := good
	c.Code = code()
	first, err := r.client.Redeem(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Redeem(ctx, c); !errors.Is(err, oidc.ErrFailed) {
		t.Errorf("a second time: %v", err)
	}
	if _, alive := r.idp.Introspect(first.Credential.Value(credential.AccessToken).Reveal()); alive {
		t.Error("the provider of the tests does not end what came of a code that was stolen")
	}
}

// TestDowngrade: S256 is sent whatever the provider announces.
func TestChallengeIsAlwaysSent(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) {
		c.Authorize = map[string]string{"code_challenge_method": "plain", "code_challenge": verifier, "response_type": "token", "redirect_uri": "https://evil.example"}
	})
	q := authorize(t, r.client, request()).Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == verifier || q.Get("response_type") != "code" || q.Get("redirect_uri") != redirectURI {
		t.Errorf("%v", q)
	}
}

// BenchmarkAuthorize: what a navigation to the sign-in costs here, once metadata is known.
func BenchmarkAuthorize(b *testing.B) {
	p, err := oidc.New("test", &configs.Provider{ProviderEndpoints: configs.ProviderEndpoints{Authorization: "https://id.example/a", Token: "https://id.example/t"}, ProviderClient: configs.ProviderClient{ClientID: "a"}, Scopes: []string{"email"}}, oidc.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	q := request()
	for b.Loop() {
		if _, err := p.Authorize(context.Background(), q); err != nil {
			b.Fatal(err)
		}
	}
}
