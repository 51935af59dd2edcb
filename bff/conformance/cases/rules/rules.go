// Package rules names where the rules of the cases stand.
package rules

import (
	"strings"

	"coatcheck/bff/conformance/suite"
)

// Sections of documents that several cases rest on.
const (
	Cookies     = "draft-ietf-oauth-browser-based-apps, 6.1.3.2 Cookie Security"
	CSRF        = "draft-ietf-oauth-browser-based-apps, 6.1.3.3 CSRF Protections"
	Proxy       = "draft-ietf-oauth-browser-based-apps, 6.1.3.6 Proxy Restrictions"
	Tokens      = "draft-ietf-oauth-browser-based-apps, 6.1.1 Application Architecture"
	Sessions    = "draft-ietf-oauth-browser-based-apps, 6.1.2.3 Cookie-based Session State"
	IDToken     = "OpenID Connect Core 1.0, 3.1.3.7 ID Token Validation"
	BackChannel = "OpenID Connect Back-Channel Logout 1.0, 2.6 Logout Token Validation"
)

// CSRFSays is what the section about CSRF says, in our words.
const CSRFSays = "The BFF MUST implement a proper CSRF defence; a sibling host is the same site, so SameSite alone does not do."

// ASVS is a requirement of the OWASP Application Security Verification Standard.
func ASVS(number string) string { return "OWASP ASVS 5.0, " + number }

// Expectation is a rule of ours, argued in a line.
func Expectation(why string) string { return "expectation: " + why }

// One makes a case; its group is the first word of its id.
func One(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T)) suite.Case {
	group, _, _ := strings.Cut(id, "-")
	return suite.Case{ID: id, Group: group, Severity: severity, Source: source, Says: says, Pass: pass, Run: run}
}
