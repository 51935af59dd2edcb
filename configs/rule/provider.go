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

// Constant holds one of the constants of an authorization request against the rules. Some
// servers do not tell letters apart, so that a parameter of the request itself may stand in no
// other ones, either.
func Constant(name, value string) Complaint {
	switch {
	case slices.Contains(ownParameters, strings.ToLower(name)):
		return Complaint{"this parameter is Coatcheck's own", ""}
	case name == "" || value == "":
		return Complaint{"must not be empty", ""}
	case name == "response_mode" && value != "query" && value != "form_post":
		return Complaint{"answers are taken as query or form_post", "form_post"}
	case name == "prompt" && value == "none":
		return Complaint{"nobody would ever see the provider's page: whoever is not signed in there is refused", "a page asks for it where it means it: /bff/login?prompt=none"}
	case name == "resource" && !isAbsolute(value):
		return Complaint{"a resource is an absolute URI without a fragment (RFC 8707)", "https://api.example.net"}
	}
	return Complaint{}
}

func isAbsolute(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme != "" && !strings.Contains(uri, "#")
}

// ClientText holds a client's name or secret against the letters that they have (RFC 6749
// Appendix A). A line break at the end is what an environment variable is left with.
func ClientText(s string) Complaint {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Complaint{"has a line break or another control character, which no provider takes", "${file:PATH} leaves out blank ends"}
	}
	return Complaint{}
}

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
