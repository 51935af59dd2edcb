package oidc_test

import (
	"errors"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

// plain makes the client know no issuer: addresses and the person are said.
func plain(c *configs.Provider, o *provider.Options) {
	c.Issuer, c.Scopes = "", []string{"email"}
	c.Authorization, c.Token, c.Revocation = o.Issuer+"/authorize", o.Issuer+"/token", o.Issuer+"/revoke"
	c.User = &configs.ProviderUser{URL: o.Issuer + "/userinfo", Subject: "/sub"}
}

// TestPlainOAuth: no metadata and no keys are asked for, no nonce is sent, the secret
// goes into the body, and the person is asked for.
func TestPlainOAuth(t *testing.T) {
	r := newRig(t, plain)
	address := authorize(t, r.client, request())
	if q := address.Query(); q.Has("nonce") || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "email" {
		t.Errorf("%v", q)
	}
	r.idp.Commit(provider.IDTokenUnasked) // nobody could verify it, so nobody may rely on it
	result := r.mustSignIn(nil, nil)
	if result.Subject != "p-1" || !strings.Contains(string(result.UserJSON()), `"email":"ada@shop.example"`) || !result.Credential.Value(oidc.IDToken).IsEmpty() {
		t.Errorf("%+v %s", result, result.UserJSON())
	}
	if len(r.requests("/.well-known/openid-configuration"))+len(r.requests("/keys")) != 0 {
		t.Error("it was asked what it does not have")
	}
	if calls := r.requests("/token"); len(calls) != 1 || calls[0].form.Get("client_secret") != clientSecret || calls[0].header.Get("Authorization") != "" {
		t.Errorf("%v", calls)
	}
	if _, err := r.refresh(result.Credential); err != nil {
		t.Error(err)
	}
}

// TestPlainFaults: GitHub's errors come with status 200.
func TestPlainFaults(t *testing.T) {
	for sin, reason := range map[provider.Sin]string{
		provider.TokenError200: "bad_verification_code", provider.TokenForm: "JSON", provider.UserinfoGarbage: "JSON", provider.UserinfoTrailing: "JSON",
		provider.UserinfoMissingSub: "subject", provider.UserinfoError: "insufficient_scope",
	} {
		r := newRig(t, plain)
		r.idp.Commit(sin)
		if _, err := r.signIn(nil, nil); !errors.Is(err, oidc.ErrFailed) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", sin, err)
		}
	}
}
