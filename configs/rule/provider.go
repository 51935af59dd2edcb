package rule

import (
	"net/url"
	"slices"
	"strings"
)

// ownParameters are what an authorization request says itself, and what belongs to no
// address that a browser sees.
var ownParameters = []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge",
	"code_challenge_method", "client_secret", "client_assertion", "client_assertion_type", "dpop_jkt", "request", "request_uri",
	"id_token_hint", "max_age", "acr_values", "login_hint"}

// IsOwnParameter reports whether no constant may stand for this parameter of an
// authorization request.
func IsOwnParameter(name string) bool { return slices.Contains(ownParameters, name) }

// IsSharedTenant reports whether an issuer is one of Entra ID's that stand for many: no
// token is issued by them.
func IsSharedTenant(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || !strings.EqualFold(u.Hostname(), "login.microsoftonline.com") {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return slices.Contains([]string{"common", "organizations", "consumers"}, first)
}

// NeedsOfflineAccess tells providers that give refresh tokens for this scope only.
func NeedsOfflineAccess(host string) bool {
	if host == "login.microsoftonline.com" {
		return true
	}
	return slices.ContainsFunc([]string{".auth0.com", ".okta.com", ".oktapreview.com", ".zitadel.cloud", ".ciamlogin.com"},
		func(end string) bool { return strings.HasSuffix(host, end) })
}
