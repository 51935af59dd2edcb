package cases

import (
	"net/http"
	"sync"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// graceOf is how long a case waits for what should happen, or should not.
func graceOf(should bool) time.Duration {
	if should {
		return 15 * time.Second
	}
	return 300 * time.Millisecond
}

func sessions() []suite.Case {
	return []suite.Case{
		one("sessions-anonymous", suite.Medium, expectation("a script cannot follow a redirect to another origin's page; it needs a status"), "A call without a session is answered, not led away.", "401 or 403, and no redirect", func(t *suite.T) {
			a := stranger(t).Get(t.S.API + t.W.Mark())
			t.FailIf(a.Status != 401 && a.Status != 403, "%d, by %q", a.Status, a.Chain)
		}),
		one("sessions-anonymous-call", suite.High, asvs("7.2.1"), "Sessions are verified by the backend.", "a call without a session does not reach the API", func(t *suite.T) {
			mark := t.W.Mark()
			stranger(t).Get(t.S.API + mark)
			t.FailIf(len(t.W.API.Calls(mark)) > 0, "it does")
		}),
		one("sessions-signout", suite.High, asvs("7.4.1"), "After a sign-out the session cannot be used.", "a cookie that was copied before opens nothing after", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			copied := tab.SessionCookies()
			tab.Leave()
			b := t.Browser()
			for _, k := range copied {
				b.Put(k)
			}
			time.Sleep(t.S.Cached)
			b.Page(t.S.Origin).Fetch(browser.Request{URL: t.S.Base + t.S.API + mark, Header: t.S.Honest})
			t.FailIf(len(t.Bearing(mark)) > 0, "it still brings the token to the API")
		}),
		one("sessions-revoked", suite.Low, "RFC 7009, 1; OpenID Connect RP-Initiated Logout 1.0", "Who gave the tokens hears of the end.", "the API or the provider hears of the sign-out", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			n, tokens, ended := leavings(t)
			tab.Leave()
			t.FailIf(!t.Wait(t.Most(10*time.Second), func() bool { a, b, c := leavings(t); return a > n || b > tokens || c > ended }), "neither of them did")
		}),
		one("sessions-signout-twice", suite.Low, expectation("two tabs, two clicks"), "A sign-out without a session is no error of the server.", "a second sign-out is not answered with 5xx", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			tab.Leave()
			a := tab.Leave()
			t.FailIf(a.Status >= 500, "%d", a.Status)
		}),
	}
}

// several are the cases about more than one session of a person.
func several() []suite.Case {
	return []suite.Case{
		one("sessions-replaced", suite.Medium, asvs("7.2.4"), "A new sign-in ends the session before it.", "the cookie from before opens nothing after a new sign-in", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			old := tab.SessionCookies()
			tab.Again()
			b, mark := t.Browser(), t.W.Mark()
			for _, k := range old {
				b.Put(k)
			}
			time.Sleep(t.S.Cached)
			b.Page(t.S.Origin).Fetch(browser.Request{URL: t.S.Base + t.S.API + mark, Header: t.S.Honest})
			t.FailIf(len(t.Bearing(mark)) > 0, "it still brings a token to the API")
		}),
		one("sessions-parallel", suite.Medium, expectation("people have a telephone and a computer"), "One sign-out ends one session.", "a second browser of the same person stays signed in", func(t *suite.T) {
			one, two := t.SignIn(world.Ada), t.SignIn(world.Ada)
			one.Leave()
			t.FailIf(!two.Works(), "the other session ended")
		}),
		one("sessions-upstream-401", suite.Medium, expectation("a 401 of the API is the API's word; a redirect would lose it"), "Statuses of the API reach the page.", "a 401 of the API is a 401 for the page", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
			a := tab.Get(t.S.API + mark)
			t.FailIf(a.Status != 401, "%d, by %q", a.Status, a.Chain)
		}),
		one("sessions-upstream-401-cookie", suite.Low, expectation("a late 401 of an old call must not wipe a fresh sign-in"), "Only sign-out and sign-in touch the session's cookie.", "a 401 of the API does not delete the cookie", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
			tab.Get(t.S.API + mark)
			t.FailIf(len(tab.SessionCookies()) == 0, "it does")
		}),
	}
}

func leavings(t *suite.T) (told, tokens, ended int) {
	told = len(t.W.API.Calls("auth/logout"))
	if t.W.IdP != nil {
		list, n := t.W.IdP.Revoked()
		tokens, ended = len(list), n
	}
	return told, tokens, ended
}

// renewing is a case about a token that ends soon.
func renewing(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, r world.Renewals)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		if !t.S.Renews {
			t.Skip("it does not renew tokens by itself in this configuration")
		}
		r := suite.Renewals(t)
		r.Life(3)
		t.After(func() { r.Life(3600); r.SayRenewal(nil) })
		tab := t.Enter(t.Browser(), t.S.Frontend, world.Ada)
		r.Life(3600)
		time.Sleep(t.S.RenewalWait)
		run(t, tab, r)
	})
}

// tokenOf is what one call of a tab brings to the API.
func tokenOf(t *suite.T, tab *suite.Tab) (token string, status int) {
	mark := t.W.Mark()
	a := tab.Get(t.S.API + mark)
	for _, c := range t.W.API.Calls(mark) {
		token = t.S.Token(c)
	}
	return token, a.Status
}

func renewals() []suite.Case {
	const bff = "draft-ietf-oauth-browser-based-apps, 6.1.2.2 Refresh Tokens"
	return []suite.Case{
		renewing("sessions-renewed", suite.Medium, bff, "The BFF renews an expired token with the refresh token.", "a call after the token's end brings a new one", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			n := len(r.Renewed())
			token, status := tokenOf(t, tab)
			t.FailIf(len(r.Renewed()) == n || token == "", "no renewal; the call is answered with %d", status)
		}),
		renewing("sessions-renewed-once", suite.High, "RFC 9700, 4.14.2", "A refresh token that is used twice ends the family: renewals of one session must not race.", "eight calls at once lead to one renewal, and all go through", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			r.SayRenewal(func(w http.ResponseWriter, q *http.Request) { time.Sleep(150 * time.Millisecond); r.Renew(w, q) })
			n, mark := len(r.Renewed()), t.W.Mark()
			var calls sync.WaitGroup
			for range 8 {
				calls.Go(func() { tab.Get(t.S.API + mark) })
			}
			calls.Wait()
			t.FailIf(len(r.Renewed())-n != 1, "%d renewals", len(r.Renewed())-n)
			t.FailIf(len(t.Bearing(mark)) != 8, "%d of 8 calls went through", len(t.Bearing(mark)))
		}),
		renewing("sessions-renewal-refused", suite.High, asvs("7.6.1"), "Sessions follow what the provider says of them.", "a refused renewal ends the session", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			r.SayRenewal(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				status := 401
				if t.S.Form == nil {
					status = 400
				}
				w.WriteHeader(status)
				_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			})
			time.Sleep(t.Most(max(0, 3*time.Second-t.S.RenewalWait))) // until the token has ended by every clock
			tokenOf(t, tab)
			token, status := tokenOf(t, tab)
			t.FailIf(token != "", "calls go on with the old token, answered with %d", status)
		}),
		renewing("sessions-renewal-away", suite.Medium, expectation("a provider that is away for a moment says nothing about the person"), "Operation goes on safely while something else fails.", "a renewal that fails for a moment does not end the session", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			r.SayRenewal(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
			tokenOf(t, tab)
			r.SayRenewal(nil)
			t.FailIf(!t.Wait(t.Most(15*time.Second), func() bool { token, _ := tokenOf(t, tab); return token != "" }), "she is signed out")
		}),
	}
}

// rotations are the cases about refresh tokens that are used once.
func rotations() []suite.Case {
	return []suite.Case{
		renewing("sessions-renewal-kept", suite.High, "RFC 9700, 4.14.2", "A rotated refresh token takes the place of the old one.", "the second renewal uses the token that the first brought", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			r.Life(3)
			n := len(r.Renewed())
			tokenOf(t, tab)
			time.Sleep(t.S.RenewalWait)
			tokenOf(t, tab)
			all := r.Renewed()[n:]
			if len(all) < 2 {
				t.Fail("%d renewals", len(all))
			}
			t.FailIf(all[0] == all[1], "both used one refresh token")
		}),
		renewing("sessions-resurrected", suite.High, asvs("7.4.1"), "After a sign-out the session cannot be used.", "a renewal that is under way while she signs out does not bring the session back", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			begun, release := make(chan bool, 9), make(chan bool)
			r.SayRenewal(func(w http.ResponseWriter, q *http.Request) { begun <- true; <-release; r.Renew(w, q) })
			old, done := tab.SessionCookies(), make(chan bool)
			go func() { tab.Get(t.S.API + t.W.Mark()); close(done) }()
			select {
			case <-begun:
			case <-time.After(patience(t)):
				close(release)
				t.Fail("no renewal")
			}
			out := make(chan bool)
			go func() { other(t, old).Leave(); close(out) }()
			select {
			case <-out:
			case <-time.After(5 * time.Second): // or the sign-out waits for the renewal
			}
			close(release)
			<-done
			<-out
			time.Sleep(t.S.Cached)
			token, _ := tokenOf(t, other(t, old))
			t.FailIf(token != "", "the session is back")
		}),
	}
}

// other is another browser with these cookies.
func other(t *suite.T, cookies []browser.Cookie) *suite.Tab {
	b := t.Browser()
	for _, k := range cookies {
		b.Put(k)
	}
	return t.Nobody(b, t.S.Frontend)
}

// storeAway is a case in which the store is cut off after a sign-in.
func storeAway(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		if t.S.Store == nil {
			t.Skip("sessions are in no store of their own")
		}
		tab := t.SignIn(world.Ada)
		t.S.Store.Cut()
		t.After(func() {
			t.S.Store.Mend()
			t.Wait(t.Most(15*time.Second), func() bool { return t.Enter(t.Browser(), t.S.Frontend, world.Ada).Works() })
		})
		time.Sleep(t.S.Cached)
		run(t, tab)
	})
}

func outage() []suite.Case {
	const closed = "A failure does not open, and does not pretend."
	return []suite.Case{
		storeAway("store-call", suite.Medium, expectation("an outage of a minute should not cost everybody a sign-in"), closed, "a call is answered with 5xx: a 401 would send a person to a sign-in that cannot work", func(t *suite.T, tab *suite.Tab) {
			a := tab.Get(t.S.API + t.W.Mark())
			t.FailIf(a.Status < 500 && a.Err == nil, "%d", a.Status)
		}),
		storeAway("store-open", suite.High, asvs("16.5.3"), closed, "a call does not reach the API without its session", func(t *suite.T, tab *suite.Tab) {
			mark := t.W.Mark()
			tab.Get(t.S.API + mark)
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(t.W.Owner(t.S.Token(c)) != world.Ada.Email, "it does")
			}
		}),
		storeAway("store-cookie", suite.Medium, expectation("an outage of a minute should not cost everybody a sign-in"), closed, "the cookie stays", func(t *suite.T, tab *suite.Tab) {
			tab.Get(t.S.API + t.W.Mark())
			tab.Get(t.S.Me)
			t.FailIf(len(tab.SessionCookies()) == 0, "it was deleted")
		}),
		storeAway("store-back", suite.Medium, expectation("an outage of a minute should not cost everybody a sign-in"), "Operation goes on when the failure is over.", "when the store is back, the same cookie works", func(t *suite.T, tab *suite.Tab) {
			tab.Get(t.S.API + t.W.Mark())
			t.S.Store.Mend()
			t.FailIf(!t.Wait(t.Most(15*time.Second), tab.Works), "she is signed out")
		}),
		storeAway("store-signin", suite.Medium, asvs("16.5.3"), closed, "a sign-in is not answered with a session cookie", func(t *suite.T, _ *suite.Tab) {
			b := t.Browser()
			tab := t.Nobody(b, t.S.Frontend)
			if t.S.Form != nil {
				tab.Post(t.S.Form.Path, credentials(world.Ada.Email, world.Ada.Password))
			} else if back := t.TryBack(b, world.Ada); back != "" {
				b.Navigate(t.W.IdP.URL(), back)
			}
			t.FailIf(len(tab.SessionCookies()) > 0, "it is")
		}),
		storeAway("store-whoami", suite.Low, expectation("an outage of a minute should not cost everybody a sign-in"), closed, "who-am-I does not say that nobody is signed in", func(t *suite.T, tab *suite.Tab) {
			a := tab.Get(t.S.Me)
			t.FailIf(a.Err == nil && a.Status < 500 && !t.S.Known(a), "%d", a.Status)
		}),
		storeAway("store-signout", suite.Medium, asvs("16.5.3"), closed, "a sign-out that ended nothing is not reported as done", func(t *suite.T, tab *suite.Tab) {
			old := tab.SessionCookies()
			a := tab.Leave()
			done := a.Err == nil && a.Status < 400
			t.S.Store.Mend()
			back := other(t, old)
			back.Who = world.Ada
			t.FailIf(done && t.Wait(t.Most(5*time.Second), back.Works), "answered with %d, and the session works afterwards", a.Status)
		}),
	}
}
