package server_test

import (
	"strings"
	"testing"

	"coatcheck/upstream/demo/provider"
)

// reason is what the log's line of a call says went wrong.
func (a *atProvider) reason(got answer) string {
	a.t.Helper()
	said, _ := lineOf(a.house, got)
	return said
}

// TestProviderReasons: the line of a call says why a sign-in did not work, or began anew,
// whatever the browser is answered: a page, the frontend's own page, or the page that only
// wanted to know whether somebody is signed in.
func TestProviderReasons(t *testing.T) {
	described := "access_denied (<script>alert(1)</script>??Set-Cookie: a=b?[2J)"
	for _, row := range []struct {
		name, config, query string
		sin                 provider.Sin
		status              int
		want                string
	}{
		{"refused", "", "", provider.ResponseDenied, 403, described},
		{"refused, at the frontend's page", "error_path: /login, ", "", provider.ResponseDenied, 303, described},
		{"refused, silently", "", "?prompt=none", provider.ResponseDenied, 200, "login_required"},
		{"failed, at the frontend's page", "error_path: /login, ", "", provider.TokenErrorText, 303, "invalid_grant"},
		{"begun anew", "", "", provider.ResponseTemporarily, 303, "begun anew"},
		{"begun anew, by the provider's word", "", "", provider.ResponseTemporarily, 303, "temporarily_unavailable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := openAtProvider(t, func(s string) string {
				return replaced(s, "provider: id, fields", "provider: id, "+row.config+"fields")
			})
			address, browser := a.begin("")
			a.wantPage(a.back(a.browse(address, "ada@id.test"), browser), "")
			a.provider.Commit(row.sin)
			address, browser = a.begin(row.query)
			got := a.back(a.browse(address, "ada@id.test"), browser)
			if said := a.reason(got); got.StatusCode != row.status || !strings.Contains(said, row.want) {
				t.Errorf("%d, the log says %q, want %d and %q", got.StatusCode, said, row.status, row.want)
			}
		})
	}
}

// TestProviderReasonsOfOurs: so do refusals of our own.
func TestProviderReasonsOfOurs(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		return replaced(s, "scopes: [openid,", "admit: [{at: /sub, is: [p-ada, p-bob]}, {at: /email, is: ada@id.test}], scopes: [openid,")
	})
	address, browser := a.begin("")
	got := a.back(a.browse(address, "bob@id.test"), browser)
	if said := a.reason(got); !strings.Contains(said, "line 2 of admit") || strings.Contains(said, "bob@") {
		t.Errorf("not admitted: %q", said)
	}
	address, _ = a.begin("")
	if got = a.back(a.browse(address, "ada@id.test")); !strings.Contains(a.reason(got), "login_elsewhere") {
		t.Errorf("another browser: %q", a.reason(got))
	}
	got = a.back(a.browse(got.Header.Get("Location"), "ada@id.test")) // the cookie again does not come along
	a.wantPage(got, "login_elsewhere")
	if !strings.Contains(a.reason(got), "not the one in which it began") {
		t.Errorf("another browser, twice: %q", a.reason(got))
	}
}
