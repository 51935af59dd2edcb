package cases

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// attack is a case in which a foreign page makes this person's browser call.
func attack(id string, severity suite.Severity, pass string, strike func(t *suite.T, tab *suite.Tab, address string)) suite.Case {
	return struck(id, severity, bffCSRF, csrfSays, pass, strike)
}

// embedding is an attack that only reads.
func embedding(id string, severity suite.Severity, pass string, strike func(t *suite.T, tab *suite.Tab, address string)) suite.Case {
	return struck(id, severity, asvs("3.5.8"), "What needs a session is loaded on behalf of a person only where that is meant.", pass, strike)
}

func struck(id string, severity suite.Severity, source, says, pass string, strike func(t *suite.T, tab *suite.Tab, address string)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		strike(t, tab, t.S.Base+t.S.API+mark)
		t.FailIf(len(t.Bearing(mark)) > 0, "the call reached the API with her token")
	})
}

// foreign fetches from a page of an origin.
func foreign(origin, method, kind, body string) func(*suite.T, *suite.Tab, string) {
	return func(_ *suite.T, tab *suite.Tab, address string) {
		header := map[string]string{}
		if kind != "" {
			header["Content-Type"] = kind
		}
		tab.Browser.Page(origin).Fetch(browser.Request{Method: method, URL: address, Mode: "no-cors", Header: header, Body: body})
	}
}

// forged sends a call with the person's session and an Origin that is nearly hers.
func forged(id string, severity suite.Severity, source, says, pass string, lines func(origin string) string) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		if t.S.Origin != t.S.Base && !strings.Contains(lines(t.S.Origin), "Origin:") {
			t.Skip("a shared host knows its frontends by Origin, so that no page calls without it")
		}
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		t.Wired(tab, "POST", t.S.API+mark, "Content-Type: text/plain\nContent-Length: 0\n"+lines(t.S.Origin))
		if len(t.Bearing(mark)) > 0 && slices.Contains([]string{"csrf-origin-suffix", "csrf-fetch-metadata"}, id) {
			leftToSameSite(t, tab)
		}
		t.FailIf(len(t.Bearing(mark)) > 0, "the call reached the API with her token")
	})
}

// withheld reports whether browsers keep the session's cookies from other sites' POSTs,
// frames and handshakes.
func withheld(tab *suite.Tab) bool {
	for _, k := range tab.SessionCookies() {
		if k.SameSite == http.SameSiteStrictMode || k.SameSite == http.SameSiteLaxMode {
			return true
		}
	}
	return false
}

// leftToSameSite skips where no browser would have sent what the case sent.
func leftToSameSite(t *suite.T, tab *suite.Tab) {
	if withheld(tab) {
		t.Skip("it accepts it, but no browser sends it from another site: the session's cookie is SameSite")
	}
}

func element(dest string) func(*suite.T, *suite.Tab, string) {
	return func(_ *suite.T, tab *suite.Tab, address string) {
		tab.Browser.Page(world.Sibling).Fetch(browser.Request{URL: address, Mode: "no-cors", Dest: dest})
	}
}

func csrf() []suite.Case {
	const multipart = "multipart/form-data; boundary=x"
	site := "Sec-Fetch-Site: "
	return append([]suite.Case{
		attack("csrf-sibling-form", suite.Critical, "a form of a sibling host changes nothing", func(_ *suite.T, tab *suite.Tab, address string) {
			tab.Submit(world.Sibling, address, url.Values{"amount": {"1"}})
		}),
		attack("csrf-sibling-text-form", suite.Critical, "a text/plain form of a sibling host, which can hold JSON, changes nothing", func(_ *suite.T, tab *suite.Tab, address string) {
			tab.SubmitText(world.Sibling, address, `{"amount":"=1"}`)
		}),
		attack("csrf-cross-site-form", suite.Critical, "a form of another site changes nothing", func(t *suite.T, tab *suite.Tab, address string) {
			tab.Submit(world.Attacker, address, url.Values{"amount": {"1"}})
			if withheld(tab) {
				return
			}
			// Without SameSite some browsers send the cookie along, others for two minutes only.
			u, _ := url.Parse(address)
			t.Wired(tab, "POST", u.Path, "Origin: "+world.Attacker+"\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 0")
		}),
		attack("csrf-sibling-fetch", suite.Critical, "fetch of a sibling host with text/plain changes nothing", foreign(world.Sibling, "POST", "text/plain", `{"a":1}`)),
		attack("csrf-sibling-fetch-form", suite.Critical, "fetch of a sibling host with a form's type changes nothing", foreign(world.Sibling, "POST", "application/x-www-form-urlencoded", "a=1")),
		attack("csrf-sibling-fetch-multipart", suite.Critical, "fetch of a sibling host with multipart/form-data changes nothing", foreign(world.Sibling, "POST", multipart, "--x--\r\n")),
		attack("csrf-sibling-beacon", suite.Critical, "a POST of a sibling host without body and type changes nothing", foreign(world.Sibling, "POST", "", "")),
		embedding("csrf-sibling-get", suite.Medium, "a GET of a sibling host does not go to the API with her token", foreign(world.Sibling, "GET", "", "")),
		embedding("csrf-image", suite.Medium, "an image of a sibling host does not call the API with her token", element("image")),
		embedding("csrf-script-element", suite.Medium, "a script element of a sibling host does not include the API's answer", element("script")),
		embedding("csrf-frame", suite.Low, "a frame on a sibling host does not show the API's answer", func(_ *suite.T, tab *suite.Tab, address string) {
			tab.Browser.Page(world.Sibling).Frame(address)
		}),
		forged("csrf-origin-null", suite.High, asvs("3.5.1"), "Requests are validated to come from the application itself.", "Origin: null changes nothing", func(string) string { return "Origin: null" }),
		forged("csrf-origin-suffix", suite.High, asvs("3.4.2"), "Origins are compared with a list, whole.", "an origin that begins like hers changes nothing", func(o string) string { return "Origin: " + o + ".attacker.test" }),
		forged("csrf-origin-prefix", suite.High, asvs("3.4.2"), "Origins are compared with a list, whole.", "an origin that ends like hers changes nothing",
			func(o string) string { return "Origin: " + strings.Replace(o, "https://", "https://not", 1) }),
		forged("csrf-origin-scheme", suite.Medium, asvs("3.4.2"), "An origin has a scheme.", "her origin over plain http changes nothing", func(o string) string { return "Origin: " + strings.Replace(o, "https:", "http:", 1) }),
		forged("csrf-origin-port", suite.Medium, asvs("3.4.2"), "An origin has a port.", "her origin at another port changes nothing", func(o string) string { return "Origin: " + o + ":8443" }),
		forged("csrf-origin-twice", suite.Low, expectation("two readers may take two different ones of them"), "A request has one origin.", "hers and another origin together change nothing",
			func(o string) string { return "Origin: " + o + "\nOrigin: " + world.Attacker }),
		forged("csrf-fetch-metadata", suite.Medium, asvs("3.5.3"), "Sec-Fetch headers may validate the origin of a request.", "Sec-Fetch-Site: cross-site changes nothing, without Origin too", func(string) string { return site + "cross-site" }),
		forged("csrf-fetch-metadata-sibling", suite.Medium, asvs("3.5.3"), "Sec-Fetch headers may validate the origin of a request.", "Sec-Fetch-Site: same-site changes nothing, without Origin too", func(string) string { return site + "same-site" }),
		one("csrf-header", suite.Low, bffCSRF, "The BFF SHOULD require a custom header.", "a POST of her own origin without it, as a form sends it, does not reach the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			tab.Fetch(browser.Request{Method: "POST", URL: t.S.Base + t.S.API + mark, Header: map[string]string{"Content-Type": "text/plain"}})
			t.FailIf(len(t.Bearing(mark)) > 0, "the call reached the API")
		}),
		one("csrf-method-override", suite.Medium, asvs("3.5.3"), "Sensitive functions need an unsafe method.", "a GET with X-HTTP-Method-Override does not arrive as DELETE", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Wired(tab, "GET", t.S.API+mark, "X-HTTP-Method-Override: DELETE")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(c.Method == "DELETE", "the API got DELETE")
			}
		}),
	}, append(csrfAccount(), sockets()...)...)
}

func csrfAccount() []suite.Case {
	signedOut := func(strike func(t *suite.T, tab *suite.Tab)) func(t *suite.T) {
		return func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			strike(t, tab)
			t.FailIf(!tab.Works(), "she is signed out")
		}
	}
	return []suite.Case{
		one("csrf-logout-image", suite.Low, asvs("3.5.3"), "Functions that change something are not GET.", "an image of another host does not sign her out", signedOut(func(t *suite.T, tab *suite.Tab) {
			tab.Browser.Page(world.Sibling).Fetch(browser.Request{URL: t.S.Base + t.S.Logout, Mode: "no-cors", Dest: "image"})
		})),
		one("csrf-logout-link", suite.Low, asvs("3.5.3"), "Functions that change something are not GET.", "a link on another site does not sign her out", signedOut(func(t *suite.T, tab *suite.Tab) {
			tab.Navigate(world.Attacker, t.S.Base+t.S.Logout)
			tab.Navigate(world.Sibling, t.S.Base+t.S.Logout)
		})),
		one("csrf-logout-form", suite.Low, bffCSRF, csrfSays, "a form of a sibling host does not sign her out", signedOut(func(t *suite.T, tab *suite.Tab) {
			tab.Submit(world.Sibling, t.S.Base+t.S.Logout, url.Values{})
		})),
		one("csrf-logout-fetch", suite.Low, bffCSRF, csrfSays, "fetch of a sibling host does not sign her out", signedOut(func(t *suite.T, tab *suite.Tab) {
			tab.Browser.Page(world.Sibling).Fetch(browser.Request{Method: "POST", URL: t.S.Base + t.S.Logout, Mode: "no-cors"})
		})),
		one("csrf-login-sibling", suite.High, asvs("10.2.1"), "Sign-in itself is protected against forged requests: nobody is signed in as the attacker unawares.", "a sibling's form cannot sign this browser in", func(t *suite.T) {
			f := t.NeedForm()
			b := t.Browser()
			body := `{"email":"` + world.Bob.Email + `","password":"` + world.Bob.Password + `"}`
			b.SubmitText(world.Sibling, t.S.Base+f.Path, body)
			b.Page(world.Sibling).Fetch(browser.Request{Method: "POST", URL: t.S.Base + f.Path, Mode: "no-cors", Body: body, Header: map[string]string{"Content-Type": "text/plain"}})
			t.FailIf(t.Nobody(b, t.S.Frontend).Known(), "the browser is signed in as the attacker")
		}),
	}
}

// sockets are handshakes of WebSockets, which know no CORS.
func sockets() []suite.Case {
	const says = "The Origin of a WebSocket handshake is checked against a list."
	shake := func(id string, origin func(own string) string, pass string) suite.Case {
		return one(id, suite.High, asvs("4.4.2"), says, pass, func(t *suite.T) {
			if !t.S.WebSocket {
				t.Skip("it carries no WebSockets in this configuration")
			}
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.W.API.Say(mark, world.AcceptSocket)
			if w, _ := handshake(t, tab, mark, t.S.Origin); w.Status() != 101 {
				t.Stuck("a handshake of her own page is answered with %d", w.Status())
			}
			other := t.W.Mark()
			t.W.API.Say(other, world.AcceptSocket)
			w, _ := handshake(t, tab, other, origin(t.S.Origin))
			accepted := w.Status() == 101 || len(t.Bearing(other)) > 0
			if accepted && id != "csrf-socket-sibling" {
				leftToSameSite(t, tab)
			}
			t.FailIf(accepted, "the handshake was accepted")
		})
	}
	fixed := func(origin string) func(string) string { return func(string) string { return origin } }
	return []suite.Case{
		shake("csrf-socket-sibling", fixed(world.Sibling), "a sibling's page opens no WebSocket as her"),
		shake("csrf-socket-cross-site", fixed(world.Attacker), "another site's page opens no WebSocket as her"),
		shake("csrf-socket-suffix", func(own string) string { return own + ".attacker.test" }, "an origin that begins like hers opens no WebSocket"),
		shake("csrf-socket-null", fixed("null"), "a sandboxed page opens no WebSocket as her"),
	}
}
