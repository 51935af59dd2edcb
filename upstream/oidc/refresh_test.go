package oidc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

func (r *rig) refresh(c *credential.Credential) (*credential.Credential, error) {
	return r.client.Refresh(context.Background(), c, mapping.Caller{}, r.clock.Now())
}

// TestRefresh is the table of the OpenID Foundation's tests of refreshes.
func TestRefresh(t *testing.T) {
	for _, row := range []struct {
		sin    provider.Sin
		want   error
		reason string
	}{
		{sin: "oidcc-client-test-refresh-token", want: nil},
		{sin: provider.RefreshNoIDToken, want: nil},
		{sin: provider.RefreshNoRotation, want: nil},
		{sin: provider.RefreshInvalidIssuer, want: oidc.ErrFailed, reason: "different provider"},
		{sin: provider.RefreshInvalidSub, want: oidc.ErrFailed, reason: "person"},
		{sin: provider.RefreshInvalidAud, want: oidc.ErrFailed, reason: "audience"},
		{sin: provider.RefreshInvalidAzp, want: oidc.ErrFailed, reason: "azp"},
		{sin: provider.RefreshOtherNonce, want: oidc.ErrFailed, reason: "nonce"},
		{sin: provider.InvalidSigRS256, want: oidc.ErrFailed, reason: "signature"},
		{sin: provider.SigNone, want: oidc.ErrFailed, reason: "malformed"},
		{sin: provider.MissingExp, want: oidc.ErrFailed, reason: "expired"},
		{sin: provider.InvalidAtHash, want: oidc.ErrFailed, reason: "at_hash"},
		{sin: provider.TokenMissing, want: oidc.ErrFailed, reason: "access token"},
		{sin: provider.TokenGarbage, want: oidc.ErrFailed, reason: "JSON"},
		{sin: provider.TokenError500, want: oidc.ErrFailed, reason: "500"},
	} {
		t.Run(string(row.sin), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *configs.Provider, _ *provider.Options) { c.Audiences = []string{"listed"} })
			old := r.mustSignIn(nil, nil).Credential
			r.idp.Commit(row.sin)
			fresh, err := r.refresh(old)
			if !isOutcome(err, row.want) {
				t.Fatalf("%v", err)
			}
			if err != nil {
				mustBeClean(t, err.Error())
				if fresh != nil || !strings.Contains(err.Error(), row.reason) || errors.As(err, new(*mapping.Refusal)) {
					t.Errorf("%q does not say %q, or ends the session", err, row.reason)
				}
				return
			}
			if fresh.Value(credential.AccessToken).Equal(old.Value(credential.AccessToken)) || !fresh.CanRefresh() || fresh.Value(oidc.IDToken).IsEmpty() {
				t.Error("not renewed, or something was lost")
			}
		})
	}
}

// TestDeadRefreshToken: what ends a session, and what does not: a provider that throttles or fails.
func TestDeadRefreshToken(t *testing.T) {
	r := newRig(t, nil)
	old := r.mustSignIn(nil, nil).Credential
	r.idp.Commit(provider.RefreshThrottled)
	var refusal *mapping.Refusal
	if _, err := r.refresh(old); !errors.As(err, &refusal) || refusal.Meaning != mapping.TooManyAttempts {
		t.Errorf("throttled: %v", err)
	}
	r.idp.Commit(provider.RefreshGrant503)
	if _, err := r.refresh(old); err == nil || errors.As(err, new(*mapping.Refusal)) {
		t.Errorf("invalid_grant of a server that fails: %v", err)
	}
	r.idp.Commit(provider.RefreshInteraction)
	if _, err := r.refresh(old); !errors.As(err, &refusal) || refusal.Meaning != mapping.SessionExpired {
		t.Errorf("the person must come to the provider's page: %v", err)
	}
	r.idp.Commit()
	fresh, err := r.refresh(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.refresh(old); !errors.As(err, &refusal) || refusal.Meaning != mapping.SessionExpired {
		t.Errorf("a refresh token was used twice: %v", err)
	}
	if _, err := r.refresh(fresh); !errors.As(err, &refusal) || refusal.Meaning != mapping.SessionExpired {
		t.Errorf("its family lives on: %v", err)
	}
	r.goAway()
	if _, err := r.refresh(fresh); !errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
}

// TestRefreshAfterRotation: the ID token of before was signed by a key that is gone.
func TestRefreshAfterRotation(t *testing.T) {
	r := newRig(t, nil)
	old := r.mustSignIn(nil, nil).Credential
	if err := r.idp.Rotate(); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(time.Hour)
	if _, err := r.refresh(old); err != nil {
		t.Error(err)
	}
}

// TestRefreshWhileKeysAreAway: the new tokens are kept, for the old refresh token is spent,
// and the ID token of before stays; that of somebody else is refused all the same.
func TestRefreshWhileKeysAreAway(t *testing.T) {
	r := newRig(t, nil)
	old := r.mustSignIn(nil, nil).Credential
	if err := r.idp.Rotate(); err != nil {
		t.Fatal(err)
	}
	r.idp.Commit(provider.KeysAway)
	fresh, err := r.refresh(old)
	if err != nil {
		t.Fatal(err)
	}
	if !fresh.Value(oidc.IDToken).Equal(old.Value(oidc.IDToken)) || fresh.Value(credential.RefreshToken).Equal(old.Value(credential.RefreshToken)) {
		t.Error("an ID token that nobody verified was kept, or the new refresh token was not")
	}
	for _, sin := range []provider.Sin{provider.RefreshInvalidSub, provider.RefreshInvalidAud, provider.RefreshInvalidIssuer, provider.RefreshOtherNonce} {
		r.clock.advance(time.Minute)
		r.idp.Commit(provider.KeysAway, sin)
		if _, err := r.refresh(fresh); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%s: %v", sin, err)
		}
		r.idp.Commit()
		r.clock.advance(time.Minute)
		fresh = r.mustSignIn(nil, nil).Credential
		if err := r.idp.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSignOut: the refresh token is revoked, and what the provider says is fine.
func TestSignOut(t *testing.T) {
	r := newRig(t, nil)
	c := r.mustSignIn(nil, nil).Credential
	if err := r.client.SignOut(context.Background(), c, mapping.Caller{}); err != nil {
		t.Fatal(err)
	}
	if _, alive := r.idp.Introspect(c.Value(credential.AccessToken).Reveal()); alive {
		t.Error("the token lives on")
	}
	calls := r.requests("/revoke")
	if len(calls) != 1 || calls[0].form.Get("token_type_hint") != credential.RefreshToken || !strings.HasPrefix(calls[0].header.Get("Authorization"), "Basic ") {
		t.Errorf("%v", calls)
	}
	r.idp.Commit(provider.RevocationError)
	if err := r.client.SignOut(context.Background(), c, mapping.Caller{}); err != nil {
		t.Error(err)
	}
}

// TestEndSession: the browser is sent to the provider with the hint, unless that is
// too long for a request line.
func TestEndSession(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, nil)
	c := r.mustSignIn(nil, nil).Credential
	address, err := r.client.EndSessionURL(ctx, oidc.EndSession{IDToken: c.Value(oidc.IDToken), LogoutHint: "ada", RedirectURI: "https://shop.example.com/", State: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if text := address.Reveal(); !strings.HasPrefix(text, r.config.Issuer+"/end_session?") || !strings.Contains(text, "id_token_hint=eyJ") || strings.Contains(text, "logout_hint") {
		t.Error(text)
	}
	address, err = r.client.EndSessionURL(ctx, oidc.EndSession{IDToken: credential.NewSecret(strings.Repeat("x", 5000)), LogoutHint: "ada"})
	if text := address.Reveal(); err != nil || strings.Contains(text, "id_token_hint") || !strings.Contains(text, "client_id=shop&logout_hint=ada") {
		t.Error(text, err)
	}
	r.config.EndSession = "https://id.example/logout?client_id={client_id}&logout_uri={post_logout_redirect_uri}"
	address, err = r.client.EndSessionURL(ctx, oidc.EndSession{RedirectURI: "https://shop.example.com/?a=b"})
	if text := address.Reveal(); err != nil || text != "https://id.example/logout?client_id=shop&logout_uri=https%3A%2F%2Fshop.example.com%2F%3Fa%3Db" {
		t.Error(text, err)
	}
	r.config.Logout = "local"
	if _, err = r.client.EndSessionURL(ctx, oidc.EndSession{}); !errors.Is(err, oidc.ErrUnsupported) {
		t.Error(err)
	}
}
