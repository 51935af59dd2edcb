package cases

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// twoFrontends is a case of two frontends at one process.
func twoFrontends(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, other suite.Frontend)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		if t.S.Other == nil {
			t.Skip("one process serves one frontend")
		}
		run(t, *t.S.Other)
	})
}

func people() []suite.Case {
	const apart = "Two frontends at one BFF are two applications."
	return []suite.Case{
		twoFrontends("people-first-cookie", suite.Critical, expectation("a browser sends every cookie of a host, whichever page calls"), apart, "two people in one browser call with their own tokens each", func(t *suite.T, other suite.Frontend) {
			b := t.Browser()
			ada := t.SignInWith(b, t.S.Frontend, world.Ada)
			mark := t.W.Mark()
			bob := t.Enter(b, other, world.Bob)
			bob.Get(other.API + mark)
			for _, c := range t.W.API.Calls(mark) {
				owner := t.W.Owner(t.S.Token(c))
				t.FailIf(owner != world.Bob.Email, "his page called as %q", owner)
			}
			t.FailIf(len(t.W.API.Calls(mark)) == 0 || !ada.Works(), "one of the two is not signed in any more")
		}),
		twoFrontends("people-cross-cookie", suite.High, asvs("3.5.4"), apart, "a session of one frontend is none at the other", func(t *suite.T, other suite.Frontend) {
			ada := t.SignIn(world.Ada)
			theirs := t.SignInWith(t.Browser(), other, world.Bob).SessionCookies()
			b := t.Browser()
			for i, k := range ada.SessionCookies() {
				if i < len(theirs) {
					k.Name = theirs[i].Name
				}
				k.Domain = strings.TrimPrefix(other.Base, "https://")
				b.Put(k)
			}
			mark := t.W.Mark()
			b.Page(other.Origin).Fetch(browser.Request{URL: other.Base + other.API + mark, Header: t.S.Honest})
			t.FailIf(len(t.Bearing(mark)) > 0, "the other frontend takes it")
		}),
		twoFrontends("people-signout", suite.Medium, expectation("a person leaves the application at which the button was"), apart, "sign-out at one frontend leaves the other signed in", func(t *suite.T, other suite.Frontend) {
			b := t.Browser()
			one, two := t.SignInWith(b, t.S.Frontend, world.Ada), t.SignInWith(b, other, world.Ada)
			one.Leave()
			t.FailIf(!two.Works(), "the other session is gone")
		}),
		twoFrontends("people-cookie-names", suite.Low, "RFC 6265, 8.5 Weak Confidentiality", "Cookies are not isolated by port.", "the two frontends' cookies have two names", func(t *suite.T, other suite.Frontend) {
			names := map[string]bool{}
			for _, k := range t.SignIn(world.Ada).SessionCookies() {
				names[k.Name] = true
			}
			for _, k := range t.Enter(t.Browser(), other, world.Ada).SessionCookies() {
				t.FailIf(names[k.Name], "both use %s", k.Name)
			}
		}),
	}
}

// hosts are the cases about whose host was called, and by whom.
func hosts() []suite.Case {
	return []suite.Case{
		twoFrontends("people-csrf", suite.High, bffCSRF, csrfSays, "a form on one frontend's page changes nothing at the other", func(t *suite.T, other suite.Frontend) {
			if t.S.Base == other.Base {
				t.Skip("the frontends share a host, where the page's origin decides")
			}
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			tab.Submit(other.Origin, t.S.Base+t.S.API+mark, url.Values{})
			tab.Browser.Page(other.Origin).Fetch(browser.Request{Method: "POST", URL: t.S.Base + t.S.API + mark, Mode: "no-cors"})
			t.FailIf(len(t.Bearing(mark)) > 0, "the call reached the API with her token")
		}),
		one("people-unknown-host", suite.Low, expectation("a name that points here by mistake or by an attacker's DNS is not one that was configured"), "Only configured hosts are served.", "a call for another host does not reach the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Raw(tab, "GET {api}"+mark+" HTTP/1.1\nHost: rebound.attacker.test\n{cookie}\n{edge}\nConnection: close\n\n")
			if t.S.Other == nil && len(t.Bearing(mark)) > 0 {
				t.Skip("it serves one frontend, whatever the host: a browser gives the cookie to no other one")
			}
			t.FailIf(len(t.Bearing(mark)) > 0, "it does, with the token")
		}),
		twoFrontends("people-forwarded-host", suite.Medium, asvs("4.1.3"), "Headers of intermediaries cannot be set by the end-user.", "X-Forwarded-Host does not choose the frontend", func(t *suite.T, other suite.Frontend) {
			ada := t.SignInWith(t.Browser(), other, world.Ada)
			mark := t.W.Mark()
			host := strings.TrimPrefix(other.Base, "https://")
			t.Raw(ada, "GET {api}"+mark+" HTTP/1.1\nHost: "+strings.TrimPrefix(t.S.Base, "https://")+"\nX-Forwarded-Host: "+host+"\n{cookie}\nConnection: close\n\n")
			if t.S.Base == other.Base {
				t.Skip("the frontends share a host")
			}
			t.FailIf(len(t.Bearing(mark)) > 0, "it does")
		}),
		one("people-mixed", suite.Critical, asvs("14.2.2"), "Server components do not mix up people's answers.", "forty calls of two people at once, all with their own answers", mixed),
	}
}

func mixed(t *suite.T) {
	ada, bob := t.SignIn(world.Ada), t.SignIn(world.Bob)
	mark := t.W.Mark()
	t.W.API.Say(mark, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=600")
		fmt.Fprint(w, t.W.Owner(t.S.Token(world.Call{Header: r.Header})))
	})
	var calls sync.WaitGroup
	wrong := make(chan string, 40)
	for i := range 40 {
		tab := []*suite.Tab{ada, bob}[i%2]
		calls.Go(func() {
			if a := tab.Get(t.S.API + mark + "/whose"); a.Status == 200 && a.Body != tab.Who.Email {
				wrong <- tab.Who.Email + " got the answer of " + a.Body
			}
		})
	}
	calls.Wait()
	if len(wrong) > 0 {
		t.Fail("%s", <-wrong)
	}
}
