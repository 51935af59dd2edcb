package cases

import (
	"net/http"
	"slices"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// cached is a case about what a cache in front may do with a proxied answer.
func cached(id string, severity suite.Severity, source, says, pass string, of http.Header, wrong func(h http.Header, policy string) bool) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range of {
				w.Header()[name] = values
			}
			_, _ = w.Write([]byte("hers"))
		})
		a := tab.Get(t.S.API + mark)
		if a.Status != 200 {
			t.Stuck("%d", a.Status)
		}
		policy := strings.ToLower(strings.Join(a.Header["Cache-Control"], ","))
		t.FailIf(wrong(a.Header, policy), "Cache-Control: %q, Vary: %q", policy, a.Header["Vary"])
	})
}

// kept reports whether caches that many share may keep an answer.
func sharedKeeps(_ http.Header, policy string) bool {
	return !strings.Contains(policy, "private") && !strings.Contains(policy, "no-store")
}

// guessed are the statuses that caches may keep without a word about it (RFC 9110, 15.1).
var guessed = []int{200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501}

// unstored is a case about an answer of the BFF's own.
func unstored(id, pass string, ask func(t *suite.T) *browser.Answer) suite.Case {
	return one(id, suite.Medium, asvs("14.3.2"), "Sensitive answers say Cache-Control: no-store, or have a status that no cache keeps unasked.", pass, func(t *suite.T) {
		a := ask(t)
		if a == nil || a.Err != nil {
			t.Stuck("no answer")
		}
		policy := strings.ToLower(a.Header.Get("Cache-Control"))
		kept := slices.Contains(guessed, a.Status) || strings.Contains(policy, "max-age") || strings.Contains(policy, "public") || a.Header.Get("Expires") != ""
		t.FailIf(kept && !strings.Contains(policy, "no-store"), "%d with Cache-Control: %q", a.Status, policy)
	})
}

func caching() []suite.Case {
	const why = "a token in Authorization keeps answers out of shared caches (RFC 9111, 3.5); a cookie in its place does not"
	const says = "Turning Authorization into a cookie must not make personal answers storable for all."
	modified := http.Header{"Last-Modified": {"Mon, 01 Jan 2024 00:00:00 GMT"}}
	return []suite.Case{
		cached("caching-silent", suite.Medium, expectation(why), says, "an answer without a policy, which caches may keep by guess, leaves as private or no-store", modified, func(h http.Header, policy string) bool {
			return sharedKeeps(h, policy) && !strings.Contains(policy, "no-cache")
		}),
		cached("caching-public", suite.Medium, expectation(why), says, "public leaves as private", http.Header{"Cache-Control": {"public, max-age=600"}}, sharedKeeps),
		cached("caching-shared", suite.Medium, expectation(why), says, "s-maxage leaves as private", http.Header{"Cache-Control": {"s-maxage=600"}}, sharedKeeps),
		cached("caching-surrogate", suite.Low, expectation(why), says, "orders to a CDN do not leave", http.Header{"Surrogate-Control": {"max-age=600"}, "Cdn-Cache-Control": {"max-age=600"}}, func(h http.Header, _ string) bool {
			return h.Get("Surrogate-Control") != "" || h.Get("Cdn-Cache-Control") != ""
		}),
		cached("caching-vary", suite.Low, "RFC 9110, 12.5.5", "An answer says which headers chose it.", "a proxied answer says Vary: Cookie, or no-store", nil, func(h http.Header, policy string) bool {
			return !strings.Contains(strings.ToLower(strings.Join(h["Vary"], ",")), "cookie") && !strings.Contains(policy, "no-store")
		}),
		unstored("caching-whoami", "who-am-I is not stored", func(t *suite.T) *browser.Answer { return t.SignIn(world.Ada).Get(t.S.Me) }),
		unstored("caching-signin", "the answer that sets the session is not stored", func(t *suite.T) *browser.Answer {
			if t.S.Form != nil {
				return t.SignIn(world.Ada).SignIn
			}
			b := t.Browser()
			return b.Step(t.W.IdP.URL(), "GET", t.WayBack(b, t.S.Frontend, world.Ada, ""), "", nil)
		}),
		unstored("caching-login", "the way to the provider, whose state belongs to one attempt, is not stored", func(t *suite.T) *browser.Answer {
			return t.Browser().Step("", "GET", t.S.Base+t.NeedProvider().Login, "", nil)
		}),
		unstored("caching-callback", "an error at the callback is not stored", func(t *suite.T) *browser.Answer {
			return t.Browser().Step(t.S.Origin, "GET", t.S.Base+t.NeedProvider().Callback+"?error=access_denied&state=x", "", nil)
		}),
		unstored("caching-signout", "the answer to a sign-out is not stored", func(t *suite.T) *browser.Answer {
			tab := t.SignIn(world.Ada)
			if tab.F.LogoutMethod == "GET" {
				return tab.Step(tab.F.Origin, "GET", tab.F.Base+tab.F.Logout, "", nil)
			}
			return tab.Leave()
		}),
		unstored("caching-refusal", "a refusal for want of a session is not stored: it would be shown after a sign-in", func(t *suite.T) *browser.Answer { return stranger(t).Get(t.S.API + t.W.Mark()) }),
	}
}
