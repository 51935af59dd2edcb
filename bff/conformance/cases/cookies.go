package cases

import (
	"net/http"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// attribute is a case about the Set-Cookie lines of the session.
func attribute(id string, severity suite.Severity, source, says, pass string, wrong func(name string, found map[string]string) bool) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		for _, line := range sets(t, t.Enter(t.Browser(), t.S.Frontend, world.Ada)) {
			name, _, found := attributes(line)
			t.FailIf(wrong(name, found), "Set-Cookie: %s", masked(line))
		}
	})
}

func masked(line string) string {
	name, rest, _ := strings.Cut(line, "=")
	_, rest, _ = strings.Cut(rest, ";")
	return name + "=…;" + rest
}

func missing(attribute string) func(string, map[string]string) bool {
	return func(_ string, found map[string]string) bool { _, there := found[attribute]; return !there }
}

func has(attribute string) func(string, map[string]string) bool {
	return func(_ string, found map[string]string) bool { _, there := found[attribute]; return there }
}

func noSite(_ string, found map[string]string) bool {
	return found["samesite"] != "lax" && found["samesite"] != "strict"
}

// attempt is a case about the cookie of a sign-in under way.
func attempt(id string, severity suite.Severity, source, says, pass string, wrong func(name string, found map[string]string) bool) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		p := t.NeedProvider()
		a := t.Browser().Step("", "GET", t.S.Base+p.Login, "", nil)
		seen := 0
		for _, line := range a.Sets {
			if name, value, found := attributes(line); p.IsAttempt(name) && value != "" {
				seen++
				t.FailIf(wrong(name, found), "Set-Cookie: %s", masked(line))
			}
		}
		if seen == 0 {
			t.Skip("no cookie is set on the way to the provider")
		}
	})
}

func cookies() []suite.Case {
	return append([]suite.Case{
		attribute("cookies-httponly", suite.Critical, bffCookies, "The BFF MUST set HttpOnly.", "every session cookie is HttpOnly", missing("httponly")),
		attribute("cookies-secure", suite.High, bffCookies, "The BFF MUST set Secure.", "every session cookie is Secure", missing("secure")),
		attribute("cookies-samesite", suite.High, asvs("3.3.2"), "SameSite is set by purpose; without it, browsers differ.", "every session cookie says Lax or Strict", noSite),
		attribute("cookies-strict", suite.Low, bffCookies, "The BFF SHOULD set SameSite=Strict.", "every session cookie says Strict",
			func(_ string, found map[string]string) bool { return found["samesite"] != "strict" }),
		attribute("cookies-prefix", suite.Medium, asvs("3.3.3"), "Cookies have the __Host- prefix unless they are meant to be shared.", "every session cookie's name begins with __Host-",
			func(name string, _ map[string]string) bool { return !strings.HasPrefix(name, "__Host-") }),
		attribute("cookies-domain", suite.High, bffCookies, "The BFF SHOULD NOT set Domain.", "no session cookie has a Domain", has("domain")),
		attempt("cookies-attempt-httponly", suite.Medium, bffCookies, "The BFF MUST set HttpOnly on its cookies.", "the cookie of a sign-in under way is HttpOnly", missing("httponly")),
		attempt("cookies-attempt-secure", suite.Medium, bffCookies, "The BFF MUST set Secure on its cookies.", "the cookie of a sign-in under way is Secure", missing("secure")),
		attempt("cookies-attempt-samesite", suite.Medium, asvs("3.3.2"), "SameSite is set by purpose.", "the cookie of a sign-in under way says Lax or Strict", noSite),
		attempt("cookies-attempt-domain", suite.Medium, bffCookies, "The BFF SHOULD NOT set Domain.", "the cookie of a sign-in under way has no Domain", has("domain")),
	}, cookieValues()...)
}

func cookieValues() []suite.Case {
	return []suite.Case{
		one("cookies-entropy", suite.Critical, asvs("7.2.3"), "Reference tokens have at least 128 bits of entropy.", "the session's cookies are 22 characters or longer, and new each time", func(t *suite.T) {
			one, other := t.SignIn(world.Ada), t.SignIn(world.Ada)
			length := 0
			for _, k := range one.SessionCookies() {
				length = max(length, len(k.Value))
			}
			t.FailIf(length < 22, "the longest value has %d characters", length)
			t.FailIf(one.Cookie() == other.Cookie(), "two sign-ins got one value")
		}),
		one("cookies-fixation", suite.Critical, asvs("7.2.4"), "A new session token comes with each sign-in.", "a value that stood there before the sign-in opens nothing after it", fixation),
		one("cookies-tossing", suite.High, bffCookies, "A prefix keeps a sibling host from fixing a session.", "a sibling's script cannot put its own session into this browser", tossing),
		one("cookies-expired", suite.Medium, asvs("7.4.1"), "Sign-out ends the use of a session.", "after a sign-out the browser holds no session cookie", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			tab.Leave()
			left := tab.SessionCookies()
			t.FailIf(len(left) > 0, "%d cookies are left", len(left))
		}),
		one("cookies-size", suite.Medium, asvs("3.3.5"), "A cookie's name and value are not over 4096 bytes.", "no Set-Cookie of a sign-in is longer than that", func(t *suite.T) {
			for _, line := range t.Enter(t.Browser(), t.S.Frontend, world.Ada).SignIn.Sets {
				name, value, _ := attributes(line)
				t.FailIf(len(name)+len(value) > 4096, "%s has %d bytes", name, len(name)+len(value))
			}
		}),
		one("cookies-changed", suite.Critical, asvs("7.2.1"), "Session tokens are verified by the backend.", "a cookie with changed characters is nobody's", damaged(changedEnd)),
		one("cookies-cut", suite.Critical, asvs("7.2.1"), "Session tokens are verified by the backend.", "a shortened cookie is nobody's", damaged(func(v string) string { return v[:len(v)-4] })),
		one("cookies-address", suite.High, asvs("14.2.1"), "Session tokens do not travel in addresses.", "a cookie's value as a query parameter signs nobody in", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			var query []string
			for _, k := range tab.SessionCookies() {
				query = append(query, k.Name+"="+k.Value)
			}
			t.Browser().Page(t.S.Origin).Fetch(browser.Request{URL: t.S.Base + t.S.API + mark + "?" + strings.Join(query, "&"), Header: t.S.Honest})
			t.FailIf(len(t.Bearing(mark)) > 0, "the call brought the token to the API")
		}),
		one("cookies-in-body", suite.Medium, asvs("3.3.4"), "A session token comes by Set-Cookie only.", "the who-am-I answer does not repeat the cookie's value", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			body := tab.Get(tab.F.Me).Body
			for _, k := range tab.SessionCookies() {
				t.FailIf(len(k.Value) > 6 && strings.Contains(body, k.Value), "it repeats %s", k.Name)
			}
		}),
		one("cookies-api-session", suite.High, expectation("an API behind must not be able to replace the person's session"),
			"The session's cookie is set by the BFF alone.", "a Set-Cookie of the API with the session cookie's name does not reach the browser", func(t *suite.T) {
				tab, mark := t.SignIn(world.Ada), t.W.Mark()
				name := tab.SessionCookies()[0].Name
				t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Set-Cookie", name+"=of-the-api; Path=/; Secure; HttpOnly")
				})
				a := tab.Get(tab.F.API + mark)
				t.FailIf(strings.Contains(strings.Join(a.Sets, "\n"), "of-the-api"), "the browser got %q", a.Sets)
			}),
	}
}

func fixation(t *suite.T) {
	first := t.SignIn(world.Bob)
	b := t.Browser()
	for _, k := range first.SessionCookies() {
		b.Put(k)
	}
	before := first.Cookie()
	first.Leave()
	tab := t.SignInWith(b, t.S.Frontend, world.Ada)
	t.FailIf(tab.Cookie() == before, "the sign-in kept the value that was there")
	mark := t.W.Mark()
	first.Fetch(browser.Request{URL: t.S.Base + t.S.API + mark, Header: t.S.Honest})
	stranger := t.Browser()
	for pair := range strings.SplitSeq(before, "; ") {
		name, value, _ := strings.Cut(pair, "=")
		stranger.Put(browser.Cookie{Name: name, Value: value, Domain: strings.TrimPrefix(t.S.Base, "https://"), HostOnly: true, Path: "/", Secure: true, SameSite: http.SameSiteStrictMode})
	}
	stranger.Page(t.S.Origin).Fetch(browser.Request{URL: t.S.Base + t.S.API + mark, Header: t.S.Honest})
	for _, c := range t.Bearing(mark) {
		t.FailIf(t.W.Owner(t.S.Token(c)) == world.Ada.Email, "the value from before opens the new session")
	}
}

func tossing(t *suite.T) {
	hers, his := t.SignIn(world.Ada), t.SignIn(world.Bob)
	for _, k := range his.SessionCookies() {
		hers.ScriptSets(world.Sibling, k.Name+"="+k.Value+"; Domain=example.com; Path="+strings.TrimSuffix(t.S.API, "/")+"; Secure")
	}
	mark := t.W.Mark()
	hers.Get(t.S.API + mark)
	for _, c := range t.Bearing(mark) {
		owner := t.W.Owner(t.S.Token(c))
		t.FailIf(owner == world.Bob.Email, "her page calls with his session")
	}
}

// damaged changes the longest cookie of a session.
func damaged(change func(string) string) func(t *suite.T) {
	return func(t *suite.T) {
		tab := t.SignIn(world.Ada)
		all := tab.SessionCookies()
		longest := 0
		for i, k := range all {
			if len(k.Value) > len(all[longest].Value) {
				longest = i
			}
		}
		b := t.Browser()
		for i, k := range all {
			if i == longest && len(k.Value) > 8 {
				k.Value = change(k.Value)
			}
			b.Put(k)
		}
		mark := t.W.Mark()
		b.Page(t.S.Origin).Fetch(browser.Request{URL: t.S.Base + t.S.API + mark, Header: t.S.Honest})
		t.FailIf(len(t.Bearing(mark)) > 0, "the damaged cookie still brings the token to the API")
	}
}

// changedEnd is v with other characters at its end.
func changedEnd(v string) string {
	if strings.HasSuffix(v, "AAA") {
		return v[:len(v)-3] + "BBA"
	}
	return v[:len(v)-3] + "AAA"
}
