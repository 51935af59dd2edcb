package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

func bound(c *configs.Provider, o *provider.Options) {
	c.DPoP, c.Userinfo, o.DPoPNonces = "required", true, true
}

// TestBoundTokens: through the whole flow with the server's nonces: one retry where it
// asks for one, none where it is known; the tokens are bound, and refreshed with the
// same key.
func TestBoundTokens(t *testing.T) {
	r := newRig(t, bound)
	result := r.mustSignIn(nil, nil)
	if n := len(r.requests("/token")); n != 2 {
		t.Errorf("%d requests, one for the nonce and one for the tokens", n)
	}
	token := result.Credential.Value(credential.AccessToken).Reveal()
	if g, alive := r.idp.Introspect(token); !alive || g.Thumbprint == "" {
		t.Errorf("%+v", g)
	}
	for _, a := range r.requests("/userinfo") {
		if a.header.Get("Authorization") != "DPoP "+token || a.header.Get("Dpop") == "" {
			t.Errorf("a bound token was sent otherwise: %v", a.header)
		}
	}
	if result.Credential.Value(oidc.DPoPKey).IsEmpty() {
		t.Fatal("the key is lost")
	}
	r.forget()
	fresh, err := r.refresh(result.Credential)
	if err != nil || !fresh.Value(oidc.DPoPKey).Equal(result.Credential.Value(oidc.DPoPKey)) {
		t.Fatal(err)
	}
	if n := len(r.requests("/token")); n != 1 {
		t.Errorf("%d requests, although the nonce was known", n)
	}
	r.idp.NextNonce()
	if fresh, err = r.refresh(fresh); err != nil {
		t.Fatalf("after the nonce changed: %v", err)
	}
	if n := len(r.requests("/token")); n != 3 {
		t.Errorf("%d requests", n)
	}
	r.idp.NextNonce()
	if _, err := r.client.Userinfo(context.Background(), fresh, "p-1"); err != nil {
		t.Error(err)
	}
	r.idp.Commit(provider.RefreshUnbound)
	if _, err := r.refresh(fresh); !errors.Is(err, oidc.ErrFailed) {
		t.Errorf("a bearer token came instead of a bound one: %v", err)
	}
}

// TestWhenTokensAreBound: auto is for providers that announce it and APIs that take it.
func TestWhenTokensAreBound(t *testing.T) {
	for _, row := range []struct {
		config          string
		announced, take bool
		bound           bool
	}{
		{"auto", true, true, true}, {"auto", true, false, false}, {"auto", false, true, false}, {"off", true, true, false}, {"required", true, false, true},
	} {
		r := newRig(t, func(c *configs.Provider, o *provider.Options) { c.DPoP, o.NoDPoP = row.config, !row.announced })
		got := r.mustSignIn(nil, func(c *oidc.Code) { c.DPoP = row.take })
		if has := !got.Credential.Value(oidc.DPoPKey).IsEmpty(); has != row.bound {
			t.Errorf("%+v: %v", row, has)
		}
	}
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) { c.DPoP = "required" })
	r.idp.Commit(provider.TokenUnbound)
	if _, err := r.signIn(nil, nil); !errors.Is(err, oidc.ErrFailed) {
		t.Errorf("required, and a bearer token came: %v", err)
	}
	r = newRig(t, nil)
	r.idp.Commit(provider.TokenUnbound)
	if got := r.mustSignIn(nil, func(c *oidc.Code) { c.DPoP = true }); !got.Credential.Value(oidc.DPoPKey).IsEmpty() {
		t.Error("a bearer token has a key")
	}
}

// TestNonces: of servers, not of paths; hostile ones are not kept.
func TestNonces(t *testing.T) {
	r := newRig(t, nil)
	r.client.NoteNonce("https://api.example.net/a?b", "one")
	if r.client.Nonce("https://API.example.net:443/c") != "one" || r.client.Nonce("https://other.example.net/") != "" || r.client.Nonce("http://api.example.net/") != "" {
		t.Error("mixed up")
	}
	for _, bad := range []string{"", "a b", "a\r\nb", strings.Repeat("x", 300)} {
		r.client.NoteNonce("https://api.example.net/", bad)
	}
	if r.client.Nonce("https://api.example.net/") != "one" {
		t.Error("a hostile nonce was kept")
	}
	for i := range 1000 {
		r.client.NoteNonce(fmt.Sprintf("https://h%d.example.net/", i), "n")
	}
}

// TestExchange: a token of its own for a second API, bound as the first one is.
func TestExchange(t *testing.T) {
	for _, change := range []func(*configs.Provider, *provider.Options){nil, bound} {
		r := newRig(t, func(c *configs.Provider, o *provider.Options) {
			if change != nil {
				change(c, o)
			}
			c.Authorize = map[string]string{"resource": "https://api.example.net"}
		})
		result := r.mustSignIn(nil, nil)
		got, err := r.client.Exchange(context.Background(), result.Credential, configs.TokenExchange{Audience: "orders", Scopes: []string{"read", "write"}})
		if err != nil {
			t.Fatal(err)
		}
		g, alive := r.idp.Introspect(got.Value(credential.AccessToken).Reveal())
		if !alive || g.Audience != "orders" || g.Subject != "p-1" || g.Scope != "read write" || got.CanRefresh() || got.Expires.IsZero() {
			t.Errorf("%+v", g)
		}
		if asked := r.requests("/token"); asked[len(asked)-1].form.Has("resource") || asked[0].form.Get("resource") == "" {
			t.Errorf("the session's own API is named where another one's token is asked for, or nowhere: %v", asked)
		}
		if (g.Thumbprint != "") != (change != nil) {
			t.Errorf("%+v", g)
		}
		r.clock.advance(time.Hour)
		if _, err := r.client.Exchange(context.Background(), result.Credential, configs.TokenExchange{Audience: "orders"}); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("of a token that is dead: %v", err)
		}
	}
}
