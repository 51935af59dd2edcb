package cases

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

func tokens() []suite.Case {
	const says = "The BFF alone handles tokens: they are never available to the browser."
	return []suite.Case{
		one("tokens-signin", suite.Critical, bffTokens, says, "no answer of a sign-in contains a token, also in base64", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			leak := t.W.Leak(tab.Seen())
			t.FailIf(leak != "", "the sign-in's answers contain the %s", leak)
		}),
		one("tokens-whoami", suite.Critical, bffTokens, says, "the who-am-I answer has no access token", whoami("access token")),
		one("tokens-refresh-whoami", suite.Critical, bffTokens, says, "the who-am-I answer has no refresh token", whoami("refresh token")),
		one("tokens-id-token", suite.High, asvs("10.1.1"), "Tokens go only to components that strictly need them; a page needs claims, not the ID token.", "the who-am-I answer has no ID token", whoami("ID token")),
		one("tokens-surplus", suite.Low, asvs("15.3.1"), "Only the needed fields of an object are returned.", "fields of the API's sign-in answer that nobody exposed stay away from the page", func(t *suite.T) {
			t.NeedForm()
			tab := t.SignIn(world.Ada)
			t.FailIf(strings.Contains(text(tab.SignIn)+text(tab.Get(tab.F.Me)), "hidden-MARKED"), "the page sees a field that the API meant for its client")
		}),
		one("tokens-in-address", suite.Critical, asvs("14.2.1"), "Addresses contain no sensitive data.", "no address on the way back to the page has a token", func(t *suite.T) {
			t.NeedProvider()
			tab := t.SignIn(world.Ada)
			leak := t.W.Leak(strings.Join(tab.SignIn.Chain, "\n") + " " + tab.SignIn.URL)
			t.FailIf(leak != "", "an address contains the %s", leak)
		}),
		one("tokens-code-kept", suite.Low, "RFC 9700, 4.2.4 Credential Leakage via Referer", "A client's page should not show the code's address any longer than needed.", "the page on which the person lands has no code in its address", func(t *suite.T) {
			t.NeedProvider()
			tab := t.SignIn(world.Ada)
			t.FailIf(strings.Contains(tab.SignIn.URL, "code="), "the person lands at %s", tab.SignIn.URL)
		}),
		one("tokens-error", suite.Critical, asvs("16.5.1"), "Errors expose no tokens.", "the answer to a call whose connection the API breaks has no token", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			a := brokenCall(t, tab)
			leak := t.W.Leak(text(a))
			t.FailIf(leak != "", "the error contains the %s", leak)
		}),
		one("tokens-answer-header", suite.High, expectation("an API that repeats the request's head, as debuggers and gateways do, must not hand the token to a script"),
			"A header of the API's answer that carries the token does not reach the page.", "no Authorization header in the answer", func(t *suite.T) {
				tab, mark := t.SignIn(world.Ada), t.W.Mark()
				t.W.API.Say(mark, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Authorization", "Bearer "+t.S.Token(world.Call{Header: r.Header}))
				})
				a := tab.Get(tab.F.API + mark)
				t.FailIf(t.W.Leak(text(a)) != "", "the page sees the header")
			}),
	}
}

// tokensSent are the cases about what goes to the API and to the provider.
func tokensSent() []suite.Case {
	return []suite.Case{
		one("tokens-browser-authorization", suite.High, bffProxy, "The BFF attaches the access token; what the browser sends is not trusted.", "a script's own value in the header that carries the token does not reach the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			name := cmp.Or(t.S.Carrier, "Authorization")
			t.Wired(tab, "GET", tab.F.API+mark, name+": Bearer forged-by-page")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(strings.Contains(t.S.Token(c), "forged"), "the API got %s: %q", name, c.Header.Get(name))
			}
		}),
		one("tokens-cookie-sent", suite.High, expectation("who holds the session's cookie is the person; an API and its logs must not hold it"),
			"The session's cookie stays between browser and BFF.", "the API sees no session cookie", func(t *suite.T) {
				tab, mark := t.SignIn(world.Ada), t.W.Mark()
				tab.Get(tab.F.API + mark)
				for _, c := range t.W.API.Calls(mark) {
					for _, k := range tab.SessionCookies() {
						t.FailIf(strings.Contains(fmt.Sprint(c.Header), k.Value), "the API gets the cookie %s", k.Name)
					}
				}
			}),
		one("tokens-refresh-sent", suite.High, "RFC 9700, 4.14 Refresh Token Protection", "Refresh tokens go to the authorization server only.", "the API sees no refresh token on proxied calls", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			tab.Get(tab.F.API + mark)
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(t.W.Leak(fmt.Sprint(c.Header), "refresh token") != "", "the API gets the refresh token")
			}
		}),
	}
}

// tokensKept are the cases about what stays on the server: the store and the log.
func tokensKept() []suite.Case {
	return []suite.Case{
		one("tokens-store-plain", suite.Medium, bffCookies, "Session state that holds tokens should be encrypted.", "a dump of the store shows no token", func(t *suite.T) {
			dump := dumped(t)
			leak := t.W.Leak(dump, "access token", "refresh token", "ID token")
			t.FailIf(leak != "", "the dump shows the %s", leak)
		}),
		one("tokens-store-ticket", suite.Medium, expectation("a dump of the store, or a backup of it, should not open sessions"),
			"The store does not hold what the cookie says.", "no cookie's value stands in a dump", func(t *suite.T) {
				if t.S.Store == nil {
					t.Skip("sessions are in no store of their own")
				}
				tab := t.SignIn(world.Ada)
				dump := t.S.Store.Dump()
				for _, k := range tab.SessionCookies() {
					t.FailIf(strings.Contains(dump, k.Value), "the dump holds the cookie %s", k.Name)
				}
			}),
		one("tokens-logged-cookie", suite.Medium, asvs("16.2.5"), "Session tokens are logged hashed or masked only.", "the log has no cookie's value", func(t *suite.T) {
			if t.S.Logs == nil {
				t.Skip("its log is not at hand")
			}
			tab := t.SignIn(world.Ada)
			for _, k := range tab.SessionCookies() {
				t.FailIf(len(k.Value) > 6 && strings.Contains(t.S.Logs(), k.Value), "the log holds the cookie %s", k.Name)
			}
		}),
		one("tokens-logged-password", suite.High, asvs("16.2.5"), "Credentials are not logged.", "the log has no password", func(t *suite.T) {
			t.NeedForm()
			if t.S.Logs == nil {
				t.Skip("its log is not at hand")
			}
			t.SignIn(world.Ada)
			t.FailIf(strings.Contains(t.S.Logs(), world.Ada.Password), "the log holds the password")
		}),
	}
}

func whoami(kind string) func(t *suite.T) {
	return func(t *suite.T) {
		if kind == "ID token" {
			t.NeedProvider()
		}
		tab := t.SignIn(world.Ada)
		t.FailIf(t.W.Leak(text(tab.Get(tab.F.Me)), kind) != "", "who-am-I contains the %s", kind)
	}
}

func dumped(t *suite.T) string {
	if t.S.Store == nil {
		t.Skip("sessions are in no store of their own")
	}
	t.SignIn(world.Ada)
	return t.S.Store.Dump()
}
