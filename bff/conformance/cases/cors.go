package cases

import (
	"net/http"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// reader is a case in which a page of an origin tries to read an answer.
func reader(id, origin string, pass string) suite.Case {
	return one(id, suite.Critical, asvs("3.4.2"), "Access-Control-Allow-Origin names origins from a list only.", pass, func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		from := origin
		if origin == "suffix" {
			from = t.S.Origin + ".attacker.test"
		}
		w, _ := t.Wired(tab, "GET", t.S.API+mark, "Origin: "+from)
		if len(w.Answers) == 0 {
			return // no answer is not readable
		}
		h := w.Answers[0].Header
		t.FailIf(h.Get("Access-Control-Allow-Origin") == from && h.Get("Access-Control-Allow-Credentials") == "true", "the answer allows %s", from)
	})
}

func cors() []suite.Case {
	return []suite.Case{
		reader("cors-sibling", world.Sibling, "a sibling's page cannot read an answer"),
		reader("cors-cross-site", world.Attacker, "another site's page cannot read an answer"),
		reader("cors-null", "null", "a sandboxed page cannot read an answer"),
		reader("cors-suffix", "suffix", "an origin that begins like hers cannot read an answer"),
		one("cors-star", suite.Medium, asvs("3.4.2"), "The wildcard is for answers without personal data.", "an answer to a person's call does not say *", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			w, _ := t.Wired(tab, "GET", t.S.API+mark, "Origin: https://star.test")
			for _, a := range w.Answers {
				t.FailIf(a.Header.Get("Access-Control-Allow-Origin") == "*", "it does")
			}
		}),
		one("cors-api", suite.High, expectation("an API that allows every origin to those who bring a token does not mean the holders of a cookie"),
			"What the API says about CORS does not count at the BFF.", "an API that allows any origin does not open the BFF to a sibling", func(t *suite.T) {
				tab, mark := t.SignIn(world.Ada), t.W.Mark()
				t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Access-Control-Allow-Origin", world.Sibling)
					w.Header().Set("Access-Control-Allow-Credentials", "true")
				})
				// Her own page's call shows what the BFF passes on, whatever it refuses before.
				a := tab.Get(t.S.API + mark)
				t.FailIf(a.Header.Get("Access-Control-Allow-Origin") == world.Sibling, "the header passes")
			}),
		one("cors-preflight", suite.High, bffCSRF, "The BFF does not approve a foreign origin's preflight.", "a sibling's preflight is not approved", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) {})
			a := tab.Browser.Page(world.Sibling).Fetch(browser.Request{Method: "PUT", URL: t.S.Base + t.S.API + mark, Header: map[string]string{"X-CSRF": "1", "Content-Type": "application/json"}})
			t.FailIf(a.Blocked == "", "the browser was allowed to send it")
		}),
		shared("cors-shared-read", "a listed origin can read an answer", func(t *suite.T, tab *suite.Tab) {
			a := tab.Get(t.S.API + "allow/" + t.W.Mark())
			t.FailIf(!a.Readable, "it cannot: %q", a.Header.Get("Access-Control-Allow-Origin"))
		}),
		shared("cors-shared-preflight", "a listed origin's preflight is approved", func(t *suite.T, tab *suite.Tab) {
			a := tab.Fetch(browser.Request{Method: "PUT", URL: t.S.Base + t.S.API + "allow/" + t.W.Mark(), Header: map[string]string{"X-CSRF": "1"}})
			t.FailIf(a.Blocked != "", "%s", a.Blocked)
		}),
		shared("cors-shared-vary", "answers say Vary: Origin, or caches mix origins up", func(t *suite.T, tab *suite.Tab) {
			a := tab.Get(t.S.API + t.W.Mark())
			t.FailIf(!strings.Contains(strings.ToLower(strings.Join(a.Header["Vary"], ",")), "origin"), "Vary: %q", a.Header["Vary"])
		}),
	}
}

// shared is a case of frontends that call one host of another origin.
func shared(id, pass string, run func(t *suite.T, tab *suite.Tab)) suite.Case {
	return one(id, suite.Medium, "Fetch Standard, 3.2 CORS protocol", "An allowed origin is named exactly, with credentials, and caches learn what it depends on.", pass, func(t *suite.T) {
		if t.S.Origin == t.S.Base {
			t.Skip("pages and calls share one origin in this configuration")
		}
		run(t, t.Enter(t.Browser(), t.S.Frontend, world.Ada))
	})
}
