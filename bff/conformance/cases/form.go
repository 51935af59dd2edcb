package cases

import (
	"fmt"
	"net/http"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// byForm is a case about sign-in by JSON form.
func byForm(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, f *suite.Form)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		f := t.NeedForm()
		run(t, stranger(t), f)
	})
}

// stranger is a page at which nobody is signed in.
func stranger(t *suite.T) *suite.Tab {
	return t.Nobody(t.Browser(), t.S.Frontend)
}

func credentials(email, password string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
}

// newAccount is one that no other case has throttled.
func newAccount(t *suite.T) string { return t.W.Mark() + "@id.test" }

func form() []suite.Case {
	return append([]suite.Case{
		byForm("form-status", suite.Medium, asvs("16.5.3"), "Failures are failures.", "a wrong password is answered with 401 or 403", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			a := tab.Post(f.Path, credentials(newAccount(t), "wrong"))
			t.FailIf(a.Status != 401 && a.Status != 403 && a.Status != 400, "it is answered with %d", a.Status)
		}),
		byForm("form-failure-cookie", suite.High, asvs("7.2.4"), "A session begins with authentication.", "a wrong password sets no session cookie", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			tab.Post(f.Path, credentials(newAccount(t), "wrong"))
			t.FailIf(len(tab.SessionCookies()) > 0, "it does")
		}),
		byForm("form-who", suite.Medium, asvs("6.3.8"), "Valid accounts cannot be deduced from failures.", "a wrong password and an unknown account look the same", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			known, unknown := tab.Post(f.Path, credentials(world.Ada.Email, "wrong")), tab.Post(f.Path, credentials(newAccount(t), "wrong"))
			t.FailIf(known.Status != unknown.Status || plain(known.Body) != plain(unknown.Body), "%d %.80q and %d %.80q", known.Status, known.Body, unknown.Status, unknown.Body)
			tab.Post(f.Path, credentials(world.Ada.Email, world.Ada.Password)) // clears the count of failures
		}),
		byForm("form-echo", suite.High, asvs("16.5.1"), "Errors expose nothing sensitive.", "no answer repeats the password", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			a := tab.Post(f.Path, credentials(newAccount(t), "pw-typed-wrong"))
			t.FailIf(strings.Contains(text(a), "pw-typed-wrong"), "it repeats it")
		}),
		byForm("form-throttle", suite.High, asvs("6.3.1"), "Password guessing is limited.", "after a bound of failures the API is not asked any more", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			guess(t, tab, f, func(i int, who string) (string, map[string]string) { return who, nil })
		}),
		byForm("form-throttle-case", suite.Medium, asvs("6.3.1"), "Password guessing is limited.", "other letters of the same account count with it", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			guess(t, tab, f, func(i int, who string) (string, map[string]string) { return alternate(who, i), nil })
		}),
		byForm("form-throttle-address", suite.High, asvs("15.3.4"), "The client's address cannot be made up by the client.", "a made-up X-Forwarded-For gives no further guesses", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			guess(t, tab, f, func(i int, who string) (string, map[string]string) {
				return who, map[string]string{"X-Forwarded-For": fmt.Sprintf("198.51.100.%d", i)}
			})
		}),
		byForm("form-get", suite.High, asvs("14.2.1"), "Addresses contain no sensitive data.", "GET with the password in the address signs nobody in", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			tab.Get(f.Path + "?email=" + world.Ada.Email + "&password=" + world.Ada.Password)
			t.FailIf(tab.Known(), "it signs in")
		}),
		byForm("form-content-type", suite.Medium, asvs("3.5.2"), "A function that relies on preflights refuses what needs none.", "JSON as text/plain is refused", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			tab.Call("POST", f.Path, credentials(world.Ada.Email, world.Ada.Password), map[string]string{"Content-Type": "text/plain"})
			t.FailIf(tab.Known(), "it signs in")
		}),
		byForm("form-large", suite.Low, asvs("15.3.7"), "Input is bounded.", "a sign-in of 1 MiB is refused, and the API not asked", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			who := newAccount(t)
			tab.Post(f.Path, credentials(who, strings.Repeat("x", 1<<20)))
			t.FailIf(len(t.W.API.Calls(who)) > 0, "the API was asked")
		}),
	}, append(formBodies(), formAPI()...)...)
}

// plain is a body without what differs by request.
func plain(body string) string {
	for _, name := range []string{"request_id", "instance", "trace_id"} {
		if _, rest, found := strings.Cut(body, `"`+name+`":"`); found {
			value, _, _ := strings.Cut(rest, `"`)
			body = strings.ReplaceAll(body, value, "")
		}
	}
	return body
}

// alternate writes the letter i of a name large.
func alternate(who string, i int) string {
	i %= 4
	return who[:i] + strings.ToUpper(who[i:i+1]) + who[i+1:]
}

func guess(t *suite.T, tab *suite.Tab, f *suite.Form, each func(i int, who string) (string, map[string]string)) {
	if f.Throttles == 0 {
		t.Skip("it limits no sign-ins by itself")
	}
	who := newAccount(t)
	for i := range f.Throttles + 15 {
		as, header := each(i, who)
		body := credentials(as, fmt.Sprintf("guess %d %s", i, who))
		lines := ""
		for name, value := range header {
			lines += name + ": " + value + "\n"
		}
		t.Raw(tab, fmt.Sprintf("POST %s HTTP/1.1\n{host}\n{honest}\nOrigin: %s\n%sContent-Type: application/json\nContent-Length: %d\nConnection: close\n\n%s", f.Path, t.S.Origin, lines, len(body), body))
	}
	asked := len(t.W.API.Calls(who))
	t.FailIf(asked > f.Throttles+2, "the API was asked %d times", asked)
}

func formBodies() []suite.Case {
	return []suite.Case{
		byForm("form-twice", suite.Medium, asvs("15.3.7"), "Parameters that come twice confuse two readers.", "a repeated field is refused", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			who := newAccount(t)
			tab.Post(f.Path, `{"email":"`+who+`","email":"`+world.Ada.Email+`","password":"x"}`)
			for _, c := range t.W.API.Calls(who) {
				t.FailIf(strings.Count(c.Body, `"email"`) > 1, "the API got both")
			}
		}),
		byForm("form-extra", suite.Medium, asvs("15.3.3"), "Fields that nobody meant to take are not taken.", "a field more does not reach the API", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			who := newAccount(t)
			tab.Post(f.Path, `{"email":"`+who+`","password":"x","role":"admin-of-all"}`)
			for _, c := range t.W.API.Calls(who) {
				t.FailIf(strings.Contains(c.Body, "admin-of-all"), "the API got it")
			}
		}),
		byForm("form-kind", suite.Medium, asvs("15.3.5"), "Values have the type that is expected.", "a password that is an object, as for a database's operators, does not reach the API", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			who := newAccount(t)
			tab.Post(f.Path, `{"email":"`+who+`","password":{"$ne":null}}`)
			for _, c := range t.W.API.Calls(who) {
				t.FailIf(strings.Contains(c.Body, "$ne"), "the API got it")
			}
		}),
		closed("form-closed", "auth/login", "the API's own sign-in is not reachable through the prefix"),
		closed("form-closed-encoded", "auth/%6cogin", "nor with an encoded letter"),
		closed("form-closed-case", "auth/Login", "nor in other letters"),
		closed("form-closed-slashes", "auth//login", "nor with a slash more"),
		closed("form-closed-parameter", "auth/login;x=1", "nor with a path parameter"),
		one("form-closed-refresh", suite.High, bffTokens, "Tokens are never available to the browser.", "the API's renewal is not reachable through the prefix", func(t *suite.T) {
			t.NeedForm()
			tab := t.SignIn(world.Ada)
			n := t.W.API.Count()
			tab.Post(t.S.API+"auth/refresh", `{"refresh_token":"made-up"}`)
			t.FailIf(t.W.API.Count() > n, "the API was reached")
		}),
	}
}

// closed is a case in which a page signs in past the BFF.
func closed(id, path, pass string) suite.Case {
	return one(id, suite.Critical, bffTokens, "Tokens are never available to the browser: a script must not be able to get its own.", pass, func(t *suite.T) {
		t.NeedForm()
		tab := t.SignIn(world.Ada)
		a := tab.Post(t.S.API+path, credentials(world.Ada.Email, world.Ada.Password))
		t.FailIf(t.W.Leak(text(a)) != "", "the answer has tokens")
	})
}

// formAPI are answers of the API that are none.
func formAPI() []suite.Case {
	answered := func(id string, severity suite.Severity, source, says, pass string, say http.HandlerFunc) suite.Case {
		return byForm(id, severity, source, says, pass, func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			t.W.API.SayLogin(say)
			t.After(func() { t.W.API.SayLogin(nil) })
			n := t.W.API.Count()
			a := tab.Post(f.Path, credentials(newAccount(t), "x"))
			calls := t.W.API.Since(n)
			t.FailIf(tab.Known() || len(tab.SessionCookies()) > 0 || a.Status == 200, "somebody is signed in, by %d", a.Status)
			t.FailIf(len(calls) > 1 && id == "form-redirect", "the password went to %s", calls[len(calls)-1].URI)
		})
	}
	json := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(text))
		}
	}
	return []suite.Case{
		answered("form-error", suite.High, asvs("16.5.3"), "Errors do not fail open.", "an error of the API signs nobody in", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }),
		answered("form-garbage", suite.High, asvs("16.5.3"), "Errors do not fail open.", "an answer that is a page signs nobody in", json("<html>welcome</html>")),
		answered("form-empty-token", suite.High, asvs("16.5.3"), "Errors do not fail open.", "an answer with an empty token signs nobody in", json(`{"access_token":"","expires_in":60,"user":{"id":"1","email":"e"}}`)),
		answered("form-token-line", suite.Medium, asvs("1.2.1"), "Values are encoded for the header they go into.", "a token with a line break signs nobody in", json(`{"access_token":"a\r\nX-Evil: 1","expires_in":60,"user":{"id":"1","email":"e"}}`)),
		answered("form-redirect", suite.High, asvs("15.3.2"), "Calls to other addresses do not follow redirects.", "a redirect of the API does not carry the password on", func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.RawQuery, "again") {
				http.Redirect(w, r, "/auth/login?again", http.StatusTemporaryRedirect)
			}
		}),
		byForm("form-failure-shown", suite.Low, asvs("16.5.1"), "A generic message is shown when something breaks.", "an error text of the API does not reach the page", func(t *suite.T, tab *suite.Tab, f *suite.Form) {
			t.W.API.SayLogin(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(500)
				_, _ = w.Write([]byte("stack-MARKED at line 1"))
			})
			t.After(func() { t.W.API.SayLogin(nil) })
			t.FailIf(strings.Contains(text(tab.Post(f.Path, credentials(newAccount(t), "x"))), "stack-MARKED"), "it does")
		}),
	}
}

// brokenCall is a call whose connection the API breaks.
func brokenCall(t *suite.T, tab *suite.Tab) *browser.Answer {
	mark := t.W.Mark()
	t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	return tab.Get(t.S.API + mark)
}
