package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// signedToken is a token that the provider signs, and what is said of it.
type signedToken struct {
	name   string
	sin    provider.Sin
	typ    string
	change func(claims map[string]any)
	good   bool
	reason string // a word of the error
}

// without takes a claim out of a token, and with puts one in.
func without(name string) func(map[string]any) {
	return func(claims map[string]any) { delete(claims, name) }
}

func with(name string, value any) func(map[string]any) {
	return func(claims map[string]any) { claims[name] = value }
}

// TestLogoutToken is the matrix of back-channel logout, by the names of the OpenID
// Foundation's tests where there are some.
func TestLogoutToken(t *testing.T) {
	r := newRig(t, nil)
	ctx, now := context.Background(), r.clock.Now().Unix()

	for _, row := range []signedToken{
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout", typ: "logout+jwt", good: true},
		{name: "typ is JWT", typ: "JWT", good: true},
		{name: "typ is absent", good: true},
		{name: "typ in full", typ: "application/logout+jwt", good: true},
		{name: "typ of an access token", typ: "at+jwt", reason: "typ"},
		{name: "typ of a proof", typ: "dpop+jwt", reason: "typ"},
		{name: "typ is a number", typ: string(provider.TypNumber), reason: "typ"},
		{name: "nbf two minutes ahead", change: with("nbf", now+120), reason: "nbf"},
		{name: "nbf within the skew", change: with("nbf", now+50), good: true},
		{name: "sid again in capitals", change: with("SID", "s-2"), reason: "other letters"},
		{name: "events again with another s", change: with("event\u017f", map[string]any{}), reason: "other letters"},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none", sin: provider.SigNone, reason: "not a token"},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg", sin: provider.HMACWithSecret, reason: "not a token"},
		{name: "alg not announced", sin: provider.AlgUnannounced, reason: "not a token"},
		{name: "bad signature", sin: provider.InvalidSigRS256, reason: "signature"},
		{name: "key in the header", sin: provider.KeyInHeader, reason: "signature"},
		{name: "unknown key", sin: provider.KidUnknown, reason: "publish"},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss", change: with("iss", "https://evil.example"), reason: "different provider"},
		{name: "no iss", change: without("iss"), reason: "different provider"},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud", change: with("aud", "somebody-else"), reason: "audience"},
		{name: "no aud", change: without("aud"), reason: "audience"},
		{name: "several aud", change: with("aud", []string{"somebody-else", clientID}), good: true},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-no-event", change: without("events"), reason: "events"},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event", change: with("events", map[string]any{"http://other": map[string]any{}}), reason: "events"},
		{name: "events is a list", change: with("events", []string{logoutEvent}), reason: "type"},
		{name: "the event is no object", change: with("events", map[string]any{logoutEvent: true}), reason: "events"},
		{name: "the event is null", change: with("events", map[string]any{logoutEvent: nil}), reason: "events"},
		{name: "another event too", change: with("events", map[string]any{logoutEvent: map[string]any{}, "http://other": 1}), good: true},
		{name: "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce", change: with("nonce", "n"), reason: "nonce"},
		{name: "an empty nonce", change: with("nonce", ""), reason: "nonce"},
		{name: "a nonce of null", change: with("nonce", nil), reason: "nonce"},
		{name: "sid only", change: without("sub"), good: true},
		{name: "sub only", change: without("sid"), good: true},
		{name: "neither", change: func(c map[string]any) { delete(c, "sub"); delete(c, "sid") }, reason: "neither"},
		{name: "both empty", change: func(c map[string]any) { c["sub"], c["sid"] = "", "" }, reason: "neither"},
		{name: "sub is a number", change: with("sub", 7), reason: "token"},
		{name: "sid is a number", change: with("sid", 7), reason: "type"},
		{name: "no jti", change: without("jti"), reason: "jti"},
		{name: "a jti too long", change: with("jti", strings.Repeat("x", 256)), reason: "jti"},
		{name: "no iat", change: without("iat"), reason: "iat"},
		{name: "iat in the future", change: with("iat", now+600), reason: "iat"},
		{name: "iat within the skew", change: with("iat", now+50), good: true},
		{name: "iat old", change: with("iat", now-3600), reason: "iat"},
		{name: "no exp (older Keycloak, Authentik)", change: without("exp"), good: true},
		{name: "exp past", change: with("exp", now-120), reason: "expired"},
		{name: "exp past within the skew", change: with("exp", now-30), good: true},
		{name: "exp is text", change: with("exp", "soon"), reason: "token"},
		{name: "an ID token", change: func(c map[string]any) { delete(c, "events"); c["nonce"] = nonce }, reason: "events"},
	} {
		r.idp.Commit(row.sin)
		got, err := r.client.LogoutToken(ctx, r.idp.LogoutToken(clientID, "p-1", "s-1", row.typ, row.change))
		if row.good != (err == nil) || err != nil && !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if err != nil {
			mustBeClean(t, err.Error())
			if got != nil || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("%s: %q does not say %q", row.name, err, row.reason)
			}
			continue
		}
		if got.Issuer != r.config.Issuer || got.ID == "" || got.SessionID+got.Subject == "" || !got.Until.After(got.IssuedAt) {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
	for _, garbage := range []string{"", ".", "..", "a.b.c", strings.Repeat("a", 100_000), "eyJhbGciOiJub25lIn0.e30."} {
		if _, err := r.client.LogoutToken(ctx, garbage); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%.20q: %v", garbage, err)
		}
	}
}

// TestLogoutTokenWhileKeysAreAway: nothing is known of it, so that the provider may try again.
func TestLogoutTokenWhileKeysAreAway(t *testing.T) {
	r := newRig(t, nil)
	token := r.idp.LogoutToken(clientID, "p-1", "s-1", "", nil)
	r.goAway()
	if _, err := r.client.LogoutToken(context.Background(), token); !errors.Is(err, upstream.ErrUnreachable) {
		t.Error(err)
	}
}

// TestLogoutTokenWhileKeysAreBroken: whatever is wrong with the keys, the token is not to
// blame, and the provider must try again. A caller that waited too long is no fault of it
// either.
func TestLogoutTokenWhileKeysAreBroken(t *testing.T) {
	hangs := make(chan struct{})
	for name, breaks := range map[string]func(r *rig) context.Context{
		"503":     func(r *rig) context.Context { r.idp.Commit(provider.KeysAway); return t.Context() },
		"garbage": func(r *rig) context.Context { r.idp.Commit(provider.KeysGarbage); return t.Context() },
		"hang": func(r *rig) context.Context {
			r.server.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs })
			ctx, cancel := context.WithDeadline(t.Context(), time.Now())
			cancel()
			return ctx
		},
	} {
		r := newRig(t, nil)
		if _, err := r.client.Metadata(t.Context()); err != nil {
			t.Fatal(err)
		}
		token := r.idp.LogoutToken(clientID, "p-1", "s-1", "", nil)
		ctx := breaks(r)
		if _, err := r.client.LogoutToken(ctx, token); !errors.Is(err, oidc.ErrNoKeys) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := r.client.AccessToken(ctx, r.idp.LogoutToken(clientID, "p-1", "", "at+jwt", asAccess(nil)), []string{"coatcheck"}); !errors.Is(err, oidc.ErrNoKeys) {
			t.Errorf("%s: a program's token: %v", name, err)
		}
	}
	close(hangs)
}

// TestLogoutTokensDoNotHoldUpSignIns: anybody can post tokens with made-up keys; they
// use up their own allowance, and a sign-in after a rotation succeeds nevertheless.
func TestLogoutTokensDoNotHoldUpSignIns(t *testing.T) {
	r := newRig(t, nil)
	r.mustSignIn(nil, nil)
	r.idp.Commit(provider.KidUnknown)
	junk := r.idp.LogoutToken(clientID, "p-1", "s-1", "", nil)
	before := len(r.requests("/keys"))
	for range 20 {
		if _, err := r.client.LogoutToken(context.Background(), junk); err == nil {
			t.Fatal("accepted")
		}
	}
	if n := len(r.requests("/keys")) - before; n != 1 {
		t.Errorf("keys were fetched %d times", n)
	}
	r.idp.Commit(provider.RotatedJustBefore)
	r.mustSignIn(nil, nil)
}

// TestPlainProvidersSendNoLogoutTokens: there is nothing to verify one with.
func TestPlainProvidersSendNoLogoutTokens(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) { c.Scopes = nil })
	if _, err := r.client.LogoutToken(context.Background(), "x"); !errors.Is(err, oidc.ErrUnsupported) {
		t.Error(err)
	}
}

// TestLogoutAge: once its id may be forgotten, a token is not good any more.
func TestLogoutAge(t *testing.T) {
	r := newRig(t, nil)
	token := r.idp.LogoutToken(clientID, "p-1", "s-1", "logout+jwt", nil)
	got, err := r.client.LogoutToken(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	r.clock.advance(got.Until.Sub(r.clock.Now()) + time.Second)
	if _, err := r.client.LogoutToken(context.Background(), token); !errors.Is(err, oidc.ErrFailed) {
		t.Errorf("it is good after its id was forgotten: %v", err)
	}
}
