package server_test

import (
	"strings"
	"testing"
	"time"

	"coatcheck/upstream/demo/provider"
)

// TestProviderSinsBeforehand: what is wrong with metadata or a pushed request shows on
// the way to the provider, as a page of ours, and sets no cookie.
func TestProviderSinsBeforehand(t *testing.T) {
	for sin, code := range map[provider.Sin]string{
		provider.DiscoveryIssuerMismatch: "login_failed", provider.DiscoveryIssuerSlash: "login_failed", provider.DiscoveryPlainEndpoint: "login_failed",
		provider.DiscoveryUserInfo: "login_failed", provider.DiscoveryFragment: "login_failed",
		provider.DiscoveryScript: "login_failed", provider.DiscoveryHuge: "login_failed", provider.DiscoveryRedirect: "login_failed",
		provider.DiscoveryGarbage: "login_failed", provider.DiscoveryNoToken: "login_failed", provider.DiscoveryAway: "login_failed",
		provider.PushedRefused: "login_failed", provider.PushedWithoutReference: "login_failed",
	} {
		t.Run(string(sin), func(t *testing.T) {
			a := openAtProvider(t, nil)
			a.provider.Commit(sin)
			a.wantPage(a.call("GET /bff/login", navigate, document, html_), code)
			if sin == provider.PushedRefused || sin == provider.PushedWithoutReference {
				return
			}
			token := "POST /bff/backchannel-logout/id\n\nlogout_token=" + a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", nil)
			a.want(a.call(token, "Content-Type: application/x-www-form-urlencoded"), 503, "provider_unreachable") // the token is not to blame
		})
	}
}

// TestProviderSinsOfKeys: keys that cannot be used let nobody in; one that cannot be
// read among others does no harm.
func TestProviderSinsOfKeys(t *testing.T) {
	for sin, code := range map[provider.Sin]string{
		provider.KeysHuge: "login_failed", provider.KeysRedirect: "login_failed", provider.KeysGarbage: "login_failed", provider.KeysTooMany: "login_failed",
		provider.KeysAway: "login_failed", provider.KeysUnparseable: "",
	} {
		t.Run(string(sin), func(t *testing.T) {
			a := openAtProvider(t, nil)
			a.provider.Commit(sin)
			address, browser := a.begin("")
			a.wantPage(a.back(a.browse(address, "ada@id.test"), browser), code)
			if sin == provider.KeysUnparseable {
				return
			}
			token := "POST /bff/backchannel-logout/id\n\nlogout_token=" + a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", nil)
			a.want(a.call(token, "Content-Type: application/x-www-form-urlencoded"), 503, "provider_unreachable") // the token is not to blame
		})
	}
}

// TestProviderSinsOfUserinfo: a description of somebody else, or none, signs nobody in.
func TestProviderSinsOfUserinfo(t *testing.T) {
	for sin, code := range map[provider.Sin]string{
		provider.UserinfoInvalidSub: "login_failed", provider.UserinfoMissingSub: "login_failed", provider.UserinfoGarbage: "login_failed", provider.UserinfoError: "login_failed", "": "",
	} {
		t.Run(string(sin), func(t *testing.T) {
			a := openAtProvider(t, func(s string) string {
				return replaced(s, "scopes: [openid,", "userinfo: true, scopes: [openid,")
			})
			a.provider.Commit(sin)
			address, browser := a.begin("")
			a.wantPage(a.back(a.browse(address, "ada@id.test"), browser), code)
		})
	}
}

// TestProviderNotAdmitted: whoever does not match admit has a page that says so, and no
// session; others come in.
func TestProviderNotAdmitted(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		return replaced(s, "scopes: [openid,", "admit: [{at: /email, is: ada@id.test}], scopes: [openid,")
	})
	address, browser := a.begin("")
	a.wantPage(a.back(a.browse(address, "bob@id.test"), browser), "not_admitted")
	address, browser = a.begin("")
	a.wantPage(a.back(a.browse(address, "ada@id.test"), browser), "")
}

// TestProviderSinsOfRenewals: a renewal that cannot be used is thrown away; the old
// token goes on while it lasts, and the session stays.
func TestProviderSinsOfRenewals(t *testing.T) {
	for _, sin := range []provider.Sin{
		provider.RefreshInvalidIssuer, provider.RefreshInvalidSub, provider.RefreshInvalidAud, provider.RefreshInvalidAzp,
		provider.RefreshThrottled, provider.TokenGarbage, provider.TokenError500, provider.TokenMissing,
		provider.RefreshNoIDToken, provider.RefreshNoRotation,
	} {
		t.Run(string(sin), func(t *testing.T) {
			a := openAtProviderOf(t, provider.Options{AccessLife: 29 * time.Second}, nil) // shorter than "before"
			cookie := a.signInAt("ada@id.test")
			a.provider.Commit(sin)
			a.want(a.call("GET /api/x", shop, cookie), 200, "")
			first := a.api.Last(t).Header.Get("Authorization")
			a.provider.Commit()
			a.want(a.call("GET /bff/session", shop, cookie), 200, "")
			if _, alive := a.provider.Introspect(strings.TrimPrefix(first, "Bearer ")); !alive {
				t.Error("the API got a token that the provider does not know")
			}
			if out := a.call("POST /bff/logout", shop, xcsrf, cookie); !strings.Contains(out.body, "continue") {
				t.Errorf("the session is not the provider's any more: %d %s", out.StatusCode, out.body)
			}
		})
	}
}
