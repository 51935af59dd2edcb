package cases

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// tokenLife is that of a token that ends during a case, in seconds.
const tokenLife = 2

// ended is a case about a token that has ended and cannot be renewed.
func ended(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, before string)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		r := suite.Renewals(t)
		r.Life(tokenLife)
		r.Bare(true)
		t.After(func() { r.Life(3600); r.Bare(false) })
		tab := t.Enter(t.Browser(), t.S.Frontend, world.Ada)
		token, _ := tokenOf(t, tab)
		time.Sleep(tokenLife*time.Second + 500*time.Millisecond)
		run(t, tab, token)
	})
}

func expiredTokens() []suite.Case {
	const useless = "a call that can only be refused tells the page less than a 401 of its own"
	return []suite.Case{
		ended("expiry-token", suite.Medium, expectation("expires_in (RFC 6749, 5.1) says when a token is of no use any more"), "A token that has ended is not used.", "without a refresh token, a call after the token's end does not bring it to the API", func(t *suite.T, tab *suite.Tab, _ string) {
			token, status := tokenOf(t, tab)
			t.FailIf(token != "", "it does; the call is answered with %d", status)
		}),
		ended("expiry-token-status", suite.Low, expectation(useless), "The page hears that the session is over.", "such a call is answered with 401, and no redirect", func(t *suite.T, tab *suite.Tab, _ string) {
			t.W.API.Say("ended", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
			a := tab.Get(t.S.API + t.W.Mark() + "ended")
			t.FailIf(a.Status != http.StatusUnauthorized, "%d, by %q", a.Status, a.Chain)
		}),
		ended("expiry-token-whoami", suite.Low, expectation("a page that greets somebody whose every call fails misleads"), "Who-am-I and calls say the same.", "who-am-I does not name her when her calls are refused", func(t *suite.T, tab *suite.Tab, _ string) {
			token, _ := tokenOf(t, tab)
			t.FailIf(token == "" && tab.Known(), "it names her, and her calls bring no token")
			t.FailIf(token != "" && tab.Known(), "it names her, with a token that has ended")
		}),
		refused("expiry-refused-whoami", suite.Medium, asvs("7.6.1"), "Sessions follow what the provider says of them.", "after a refused renewal who-am-I does not name her", func(t *suite.T, tab *suite.Tab, _ world.Renewals) {
			t.FailIf(tab.Known(), "it names her")
		}),
		refused("expiry-refused-again", suite.Low, expectation("a provider may count refused tokens as an attack, and shut the client out"), "A refresh token that was refused is dead.", "four further calls do not send it again", func(t *suite.T, tab *suite.Tab, r world.Renewals) {
			n := len(r.Renewed())
			for range 4 {
				tokenOf(t, tab)
			}
			t.FailIf(len(r.Renewed()) > n, "%d more renewals", len(r.Renewed())-n)
		}),
		byProvider("expiry-skew", suite.Low, expectation("clocks of two machines differ by seconds; Core 3.1.3.7 leaves room for it"), "A small difference of clocks is allowed for.", "a provider whose clock is ten seconds ahead signs her in", func(t *suite.T, b *browser.Browser, _ *suite.Provider) {
			t.W.IdP.Ahead(10 * time.Second)
			t.After(func() { t.W.IdP.Ahead(0) })
			t.AtProvider(b, t.S.Frontend, world.Ada)
			t.FailIf(!inside(t, b), "it does not")
		}),
	}
}

// refused is a case about a session whose renewal was refused.
func refused(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, r world.Renewals)) suite.Case {
	return renewing(id, severity, source, says, pass, func(t *suite.T, tab *suite.Tab, r world.Renewals) {
		r.SayRenewal(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(map[bool]int{true: http.StatusBadRequest, false: http.StatusUnauthorized}[t.S.Form == nil])
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		})
		time.Sleep(max(0, 3500*time.Millisecond-t.S.RenewalWait)) // until the token has ended by every clock
		tokenOf(t, tab)
		run(t, tab, r)
	})
}

// idle is a case about a session that makes no call for too long.
func idle(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab)) suite.Case {
	c := one(id, severity, source, says, pass, func(t *suite.T) {
		t = suite.Brief(t, suite.ByIdleness)
		run(t, suite.SignInWithin(t, t.Browser(), t.S.Idle))
	})
	c.Brief = true
	return c
}

// oldest is a case about a session that ends whatever it does: most is when.
func oldest(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, most time.Time)) suite.Case {
	c := one(id, severity, source, says, pass, func(t *suite.T) {
		t = suite.Brief(t, suite.ByAge)
		tab := suite.SignInWithin(t, t.Browser(), t.S.Most)
		run(t, tab, time.Now().Add(t.S.Most+t.S.Slack))
	})
	c.Brief = true
	return c
}

// busy makes calls, so that a session is not idle, until a moment.
func busy(tab *suite.Tab, until time.Time) {
	for time.Now().Before(until) {
		tab.Works()
		time.Sleep(250 * time.Millisecond)
	}
}

func idleSessions() []suite.Case {
	return []suite.Case{
		idle("expiry-idle", suite.Medium, asvs("7.3.1"), "A session ends after some time without activity.", "after the idle time a call brings no token to the API", func(t *suite.T, tab *suite.Tab) {
			time.Sleep(t.S.Idle + t.S.Slack)
			t.FailIf(tab.Works(), "it does")
		}),
		idle("expiry-idle-poll", suite.Low, expectation("a page that asks by a timer who is there says nothing of the person"), "Asking who is signed in is no activity.", "who-am-I, asked all the time, does not put off the idle end", func(t *suite.T, tab *suite.Tab) {
			for asked := polled(t, tab); asked > t.S.Idle*3/4; asked = polled(t, tab) {
				tab = suite.SignInWithin(t, t.Browser(), t.S.Idle) // a machine that is busy asks too seldom
			}
			t.FailIf(tab.Works(), "it does")
		}),
		idle("expiry-idle-stream", suite.Low, expectation("a tab that is left open with a stream is left open"), "An open stream is no activity.", "an open event stream does not put off the idle end", func(t *suite.T, tab *suite.Tab) {
			tab, c, r := listening(t, tab)
			defer c.Close()
			go func() { _, _ = io.Copy(io.Discard, r) }() // ends with the connection
			time.Sleep(t.S.Idle + t.S.Slack)
			t.FailIf(tab.Works(), "it does")
		}),
	}
}

func oldSessions() []suite.Case {
	return []suite.Case{
		oldest("expiry-absolute", suite.Medium, asvs("7.3.2"), "A session ends at some time, whatever it does.", "after the longest time a call brings no token, though calls went on all the time", func(t *suite.T, tab *suite.Tab, most time.Time) {
			busy(tab, most)
			t.FailIf(tab.Works(), "it does")
		}),
		oldest("expiry-absolute-renewed", suite.Medium, asvs("7.3.2"), "A renewal of tokens is no sign-in.", "renewals do not put off the absolute end", func(t *suite.T, _ *suite.Tab, _ time.Time) {
			if !t.S.Renews {
				t.Skip("it does not renew tokens by itself in this configuration")
			}
			r := suite.Renewals(t)
			r.Life(tokenLife)
			t.After(func() { r.Life(3600) })
			tab := suite.SignInWithin(t, t.Browser(), t.S.Most)
			busy(tab, time.Now().Add(t.S.Most+t.S.Slack))
			t.FailIf(tab.Works(), "they do")
		}),
		oldest("expiry-cookie", suite.Low, expectation("a cookie that outlives its session is of use to nobody but a thief"), "A cookie does not outlive its session.", "Max-Age and Expires of the session's cookie are no later than its end", func(t *suite.T, tab *suite.Tab, most time.Time) {
			for _, line := range sets(t, tab) {
				_, _, found := attributes(line)
				seconds, err := strconv.Atoi(found["max-age"])
				t.FailIf(err == nil && time.Now().Add(time.Duration(seconds)*time.Second).After(most), "Max-Age=%d", seconds)
				end, err := http.ParseTime(strings.ToUpper(found["expires"]))
				t.FailIf(found["max-age"] == "" && err == nil && end.After(most), "Expires=%s", found["expires"])
			}
		}),
		oldest("expiry-signin", suite.High, asvs("7.2.4"), "A sign-in makes a new session.", "a sign-in over the cookie of an ended session does not bring its old value back", func(t *suite.T, tab *suite.Tab, most time.Time) {
			old := tab.SessionCookies()
			time.Sleep(time.Until(most))
			for _, k := range old {
				tab.Put(k)
			}
			again := suite.SignInWithin(t, tab.Browser, t.S.Most).SessionCookies()
			for _, k := range old {
				for _, now := range again {
					t.FailIf(k.Name == now.Name && k.Value == now.Value, "%s has its old value", k.Name)
				}
			}
		}),
	}
}

func oldStreams() []suite.Case {
	return []suite.Case{
		oldest("expiry-stream", suite.Medium, asvs("7.3.2"), "What a session opened ends with it.", "an open event stream ends within 20 seconds of the absolute end", func(t *suite.T, tab *suite.Tab, _ time.Time) {
			tab, c, r := listening(t, tab)
			busy(tab, time.Now().Add(t.S.Most+t.S.Slack))
			t.FailIf(!ends(c, r, patience(t)), "it goes on")
		}),
		oldest("expiry-socket", suite.Medium, asvs("7.3.2"), "What a session opened ends with it.", "an open WebSocket ends within 20 seconds of the absolute end", func(t *suite.T, tab *suite.Tab, _ time.Time) {
			if !t.S.WebSocket {
				t.Skip("it carries no WebSockets in this configuration")
			}
			mark := t.W.Mark()
			t.W.API.Say(mark, world.AcceptSocket)
			tab, c, r := opened(t, tab, upgrade(t.S.Origin, mark), "hello")
			if tab == nil {
				t.Stuck("no WebSocket")
			}
			busy(tab, time.Now().Add(t.S.Most+t.S.Slack))
			t.FailIf(!ends(c, r, patience(t)), "it goes on")
		}),
	}
}

// polled asks who-am-I for longer than the idle time. It returns the longest pause.
func polled(t *suite.T, tab *suite.Tab) (pause time.Duration) {
	last := time.Now()
	for until := last.Add(t.S.Idle + t.S.Slack); time.Now().Before(until); time.Sleep(t.S.Idle / 10) {
		tab.Known()
		pause, last = max(pause, time.Since(last)), time.Now()
	}
	return max(pause, time.Since(last))
}

// listening is an event stream that has begun, and the tab whose it is.
func listening(t *suite.T, tab *suite.Tab) (*suite.Tab, net.Conn, *bufio.Reader) {
	mark := t.W.Mark()
	t.W.API.Say(mark, events(make(chan bool, opening)))
	tab, c, r := opened(t, tab, strings.Replace(call, "MARK", mark, 1), "data: first")
	if tab == nil {
		t.Skip("it does not pass events on as they come")
	}
	return tab, c, r
}

// opening is how often something is begun in a session that ends soon.
const opening = 3

// opened begins a request and waits for a word of its answer. A machine that is busy may let
// the session end before: then another one is tried, whose tab is returned. Nil: it never came.
func opened(t *suite.T, tab *suite.Tab, request, word string) (*suite.Tab, net.Conn, *bufio.Reader) {
	for tries := 1; ; tries++ {
		if c, r := open(t, tab, request); reads(c, r, word, 10*time.Second) {
			return tab, c, r
		}
		if tries == opening {
			return nil, nil, nil
		}
		tab = suite.SignInWithin(t, t.Browser(), max(t.S.Idle, t.S.Most))
	}
}
