// Package cases is what the suite looks at, by groups. Each case stands alone: it signs
// in with browsers of its own, and leaves nothing behind but what it says.
package cases

import (
	"slices"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/cases/rules"
	"coatcheck/bff/conformance/cases/window"
	"coatcheck/bff/conformance/suite"
)

// Where the rules stand, and what makes a case of them.
const (
	bffCookies  = rules.Cookies
	bffCSRF     = rules.CSRF
	bffProxy    = rules.Proxy
	bffTokens   = rules.Tokens
	bffSessions = rules.Sessions
	core        = rules.IDToken
	backChannel = rules.BackChannel
	csrfSays    = rules.CSRFSays
)

var asvs, expectation, one = rules.ASVS, rules.Expectation, rules.One

// All are all cases, in the order of the groups.
func All() []suite.Case {
	return slices.Concat(tokens(), tokensSent(), tokensKept(), cookies(), csrf(), cors(), form(), atProvider(), answersOfProvider(), returnTo(), idTokens(), logoutTokens(),
		people(), hosts(), sessions(), several(), renewals(), rotations(), expiredTokens(), idleSessions(), oldSessions(), oldStreams(), outage(), paths(), headers(), caching(),
		framing(), answers(), streams(), abuse(), window.All())
}

// attributes are those of a Set-Cookie line, in lower case.
func attributes(line string) (name, value string, found map[string]string) {
	parts := strings.Split(line, ";")
	name, value, _ = strings.Cut(parts[0], "=")
	found = map[string]string{}
	for _, part := range parts[1:] {
		key, text, _ := strings.Cut(strings.TrimSpace(part), "=")
		found[strings.ToLower(key)] = strings.ToLower(text)
	}
	return strings.TrimSpace(name), value, found
}

// sets are the Set-Cookie lines of the session that a sign-in gave, deletions aside.
func sets(t *suite.T, tab *suite.Tab) (lines []string) {
	for _, line := range tab.SignIn.Sets {
		name, value, found := attributes(line)
		if t.S.IsSession(name) && value != "" && found["max-age"] != "0" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		t.Stuck("the sign-in set no session cookie: %d %q", tab.SignIn.Status, tab.SignIn.Sets)
	}
	return lines
}

// text is all of an answer.
func text(a *browser.Answer) string {
	var b strings.Builder
	for name, values := range a.Header {
		b.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
	}
	return b.String() + strings.Join(a.Chain, "\n") + "\n" + a.Body
}
