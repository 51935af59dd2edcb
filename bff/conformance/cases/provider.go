package cases

import (
	"net/url"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
	"coatcheck/upstream/demo/provider"
)

// byProvider is a case about sign-in at a provider.
func byProvider(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, b *browser.Browser, p *suite.Provider)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) { p := t.NeedProvider(); run(t, t.Browser(), p) })
}

// inside reports whether somebody is signed in in a browser.
func inside(t *suite.T, b *browser.Browser) bool {
	tab := t.Nobody(b, t.S.Frontend)
	mark := t.W.Mark()
	if tab.Known() {
		return true
	}
	tab.Get(t.S.API + mark)
	for _, c := range t.W.API.Calls(mark) {
		if t.S.Token(c) != "" {
			return true
		}
	}
	return false
}

// begun is what the provider was asked by one attempt.
func begun(t *suite.T, b *browser.Browser) url.Values {
	n := len(t.W.IdP.Authorize())
	b.Navigate("", t.S.Base+t.S.Provider.Login)
	all := t.W.IdP.Authorize()
	if len(all) == n {
		t.Stuck("the sign-in did not lead to the provider")
	}
	return all[len(all)-1]
}

// answered changes the provider's answer on its way, and looks who is in.
func answered(t *suite.T, b *browser.Browser, change func(q url.Values)) *browser.Answer {
	back := t.WayBack(b, t.S.Frontend, world.Ada, "")
	u, err := url.Parse(back)
	if err != nil || back == "" {
		t.Stuck("the provider did not send the browser back")
	}
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	b.Forget(t.W.IdP.URL()) // else a second attempt would go through without a question
	a := b.Navigate(t.W.IdP.URL(), u.String())
	t.FailIf(inside(t, b), "she is signed in")
	return a
}

func atProvider() []suite.Case {
	const bound = "Codes and tokens are taken only from a flow that this browser began."
	return []suite.Case{
		byProvider("provider-pkce", suite.High, "RFC 9700, 2.1.1", "Clients use PKCE with S256.", "the request has code_challenge_method=S256", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			q := begun(t, b)
			t.FailIf(q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43, "code_challenge %q by %q", q.Get("code_challenge"), q.Get("code_challenge_method"))
		}),
		byProvider("provider-pkce-same", suite.High, "RFC 9700, 2.1.1", "The challenge is specific to the transaction.", "two attempts have two challenges", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			one, other := begun(t, b).Get("code_challenge"), begun(t, b).Get("code_challenge")
			if one == "" {
				t.Fail("there is none")
			}
			t.FailIf(one == other, "they have one")
		}),
		byProvider("provider-state-same", suite.High, "RFC 9700, 4.7 Cross-Site Request Forgery", "state is unguessable and specific to the transaction.", "two browsers have two states of 20 characters or more", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			first, second := begun(t, b), begun(t, t.Browser())
			one, other := first.Get("state"), second.Get("state")
			if one == other && first.Get("code_challenge") != second.Get("code_challenge") {
				t.Skip("PKCE stands in for state here, as RFC 9700, 2.1, allows")
			}
			t.FailIf(one == other || len(one) < 20, "%q and %q", one, other)
		}),
		byProvider("provider-nonce-sent", suite.Medium, asvs("10.5.1"), "A nonce ties the ID token to the request.", "the request has a nonce", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			t.FailIf(begun(t, b).Get("nonce") == "", "it has none")
		}),
		byProvider("provider-secret-in-address", suite.High, "RFC 6749, 2.3.1", "Client secrets do not stand in addresses.", "the request has no client secret", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			t.FailIf(t.W.Leak(begun(t, b).Encode(), "client secret") != "", "it has")
		}),
		byProvider("provider-redirect-host", suite.High, "RFC 9700, 2.1", "Redirect URIs are exact; a header of the caller does not choose them.", "X-Forwarded-Host changes nothing about the redirect URI", func(t *suite.T, b *browser.Browser, p *suite.Provider) {
			a := b.Step("", "GET", t.S.Base+p.Login, "", map[string][]string{"X-Forwarded-Host": {"attacker.test"}})
			t.FailIf(strings.Contains(a.Next(), "attacker.test"), "it leads to %.300s", a.Next())
		}),
		byProvider("provider-state-missing", suite.Critical, asvs("10.1.2"), bound, "an answer without state signs nobody in", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			answered(t, b, func(q url.Values) { q.Del("state") })
		}),
		byProvider("provider-state", suite.Critical, asvs("10.1.2"), bound, "an answer with another state signs nobody in", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			answered(t, b, func(q url.Values) { q.Set("state", another(q.Get("state"))) })
		}),
		byProvider("provider-other-browser", suite.Critical, "RFC 9700, 4.7 Cross-Site Request Forgery", "An answer is bound to the browser that began: nobody is signed in as the attacker.", "somebody else's answer signs this browser in as nobody", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			back := t.WayBack(t.Browser(), t.S.Frontend, world.Bob, "")
			b.Navigate(world.Attacker, back)
			t.FailIf(inside(t, b), "the browser is signed in as the attacker")
		}),
		byProvider("provider-replayed", suite.Low, expectation("a provider refuses a code the second time; who relies on that alone has one guard"), "An attempt is over when it has been answered.", "the same answer and cookies a second time, after a sign-out, are not even sent to the provider", replayed),
		byProvider("provider-iss", suite.Medium, asvs("10.2.2"), "An answer of another issuer is refused (RFC 9207, 2.4).", "an answer with another iss signs nobody in", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			oneOnly(t)
			answered(t, b, func(q url.Values) { q.Set("iss", "https://evil.example") })
		}),
	}
}

// answersOfProvider are the cases about what else comes back from a provider.
func answersOfProvider() []suite.Case {
	return []suite.Case{
		byProvider("provider-iss-missing", suite.Low, "RFC 9207, 2.4", "Where the metadata announce iss, an answer without it is refused.", "an answer without iss signs nobody in", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			oneOnly(t)
			answered(t, b, func(q url.Values) { q.Del("iss") })
		}),
		byProvider("provider-parameter-twice", suite.Low, expectation("two readers may take two different ones of them"), "Parameters come once (RFC 6749, 3.1, asks it of the sender).", "an answer with two codes signs nobody in", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			answered(t, b, func(q url.Values) { q.Add("code", "another") })
		}),
		byProvider("provider-error-shown", suite.Low, asvs("16.5.1"), "A generic message is shown.", "the provider's error_description is not repeated on a page of ours", described("alert(1)")),
		byProvider("provider-error-markup", suite.High, asvs("1.2.1"), "Output is encoded for its context.", "markup in the provider's error_description is not markup on a page of ours", described("<script>alert(1)</script>")),
		byProvider("provider-referrer", suite.Low, "RFC 9700, 4.2.4 Credential Leakage via Referer", "The code does not leak by Referer.", "the callback redirects, or says Referrer-Policy", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			a := b.Step(t.W.IdP.URL(), "GET", t.WayBack(b, t.S.Frontend, world.Ada, ""), "", nil)
			t.FailIf(a.Status < 300 && a.Header.Get("Referrer-Policy") == "", "a page without Referrer-Policy")
		}),
		byProvider("provider-two-tabs", suite.Medium, expectation("people open several tabs, and each of them leads to the sign-in"), "Attempts do not hinder each other.", "two tabs that begin one after the other both end signed in", twoTabs),
	}
}

// oneOnly skips where no second provider can answer in place of the first.
func oneOnly(t *suite.T) {
	if !t.S.Provider.Several {
		t.Skip("it knows one provider only, so that there are no two to mix up (RFC 9700, 4.4)")
	}
}

// another is a text with another character at its start.
func another(text string) string {
	if strings.HasPrefix(text, "A") {
		return "B" + text[1:]
	}
	return "A" + text[min(1, len(text)):]
}

func replayed(t *suite.T, b *browser.Browser, _ *suite.Provider) {
	back := t.WayBack(b, t.S.Frontend, world.Ada, "")
	cookies := b.Cookies(t.S.Base + t.S.Provider.Callback)
	t.W.IdP.Commit()
	b.Navigate(t.W.IdP.URL(), back)
	if !inside(t, b) {
		t.Stuck("the first time did not sign her in")
	}
	t.Nobody(b, t.S.Frontend).Leave()
	n := len(t.W.IdP.Tokens())
	for _, k := range cookies {
		b.Put(k)
	}
	b.Step(t.W.IdP.URL(), "GET", back, "", nil)
	t.FailIf(inside(t, b), "she is signed in again")
	for _, form := range t.W.IdP.Tokens()[n:] {
		u, _ := url.Parse(back)
		t.FailIf(form.Get("code") == u.Query().Get("code"), "the code was sent to the provider again")
	}
}

func twoTabs(t *suite.T, b *browser.Browser, _ *suite.Provider) {
	first := t.WayBack(b, t.S.Frontend, world.Ada, "")
	b.Step("", "GET", t.S.Base+t.S.Provider.Login, "", nil)
	b.Navigate(t.W.IdP.URL(), first)
	t.FailIf(!inside(t, b), "the tab that began first is not signed in")
}

func described(word string) func(t *suite.T, b *browser.Browser, p *suite.Provider) {
	return func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
		t.W.IdP.Commit(provider.ResponseDenied)
		t.After(func() { t.W.IdP.Commit() })
		back := t.WayBack(b, t.S.Frontend, world.Ada, "")
		a := b.Navigate(t.W.IdP.URL(), back)
		html := strings.Contains(a.Header.Get("Content-Type"), "html") || a.Header.Get("Content-Type") == ""
		t.FailIf(strings.Contains(a.Body, word) && (html || word == "alert(1)"), "the page has it")
	}
}

// returnTo are addresses that must not lead a person away.
func returnTo() []suite.Case {
	away := func(id, to, pass string) suite.Case {
		return byProvider(id, suite.Medium, "RFC 9700, 2.1 and 4.11 Open Redirection", "Clients are no open redirectors.", pass, func(t *suite.T, b *browser.Browser, p *suite.Provider) {
			if p.ReturnTo == "" {
				t.Skip("nobody can choose where to land")
			}
			page := b.Navigate("", t.S.Base+p.Login+"?"+url.Values{p.ReturnTo: {to}}.Encode())
			if !strings.HasPrefix(page.URL, t.W.IdP.URL()) {
				t.FailIf(elsewhere(page.URL), "it leads to %s at once", page.URL)
				return // refused
			}
			back := t.WayBack(b, t.S.Frontend, world.Ada, "?"+url.Values{p.ReturnTo: {to}}.Encode())
			a := b.Navigate(t.W.IdP.URL(), back)
			t.FailIf(elsewhere(a.URL) || strings.Contains(a.Header.Get("Location")+a.Body, "javascript:"), "the person lands at %s", a.URL)
		})
	}
	return []suite.Case{
		away("provider-return-absolute", "https://attacker.test/", "an address of another site is refused"),
		away("provider-return-slashes", "//attacker.test/", "two slashes are refused"),
		away("provider-return-backslash", `/\attacker.test/`, "a slash and a backslash are refused"),
		away("provider-return-control", "/\t/attacker.test/", "a tab that browsers drop is refused"),
		away("provider-return-script", "javascript:alert(1)", "a script is refused"),
		away("provider-return-userinfo", "https://shop.example.com@attacker.test/", "a host in disguise is refused"),
		away("provider-return-sibling", world.Sibling+"/", "a sibling host is refused"),
		away("provider-return-suffix", world.Shop+".attacker.test/", "a host that begins like ours is refused"),
	}
}

// elsewhere reports whether an address leads off the frontends, as browsers read it.
func elsewhere(address string) bool {
	u, err := url.Parse(strings.NewReplacer("\t", "", "\n", "", `\`, "/").Replace(address))
	if err != nil {
		return true
	}
	if strings.HasPrefix(u.Path, "//") {
		return true
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return true
	}
	host := u.Hostname()
	return strings.HasSuffix(host, "attacker.test") || host == "evil.example.com"
}
