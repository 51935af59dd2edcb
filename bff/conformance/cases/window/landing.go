package window

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"coatcheck/bff/conformance/cases/rules"
	"coatcheck/bff/conformance/chromium"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// landing are the cases about ways in, out and through that a real browser walks.
func landing() []suite.Case {
	return []suite.Case{
		rules.One("browser-lands", suite.Low, rules.Expectation("a page that is made for her, right where she lands, must know her; SameSite=Strict withholds the cookie after the way across sites"),
			"A sign-in ends signed in.", "the first page after the way back from the provider is asked for with the session's cookie", lands),
		windowed("browser-return", suite.Medium, "RFC 9700, 2.1 and 4.11 Open Redirection", "Clients are no open redirectors.", "no address to return to, however it is written, leads Chromium to another site", returning),
		windowed("browser-opener", suite.Critical, rules.Tokens, "Tokens and codes are for the BFF alone; a window that somebody else opened tells its opener nothing.", "another site's page that opens the sign-in in a window gets no message and reads no address", opened),
		rules.One("browser-login", suite.High, "RFC 9700, 4.7 Cross-Site Request Forgery", "An answer is bound to the browser that began: nobody is signed in as the attacker.", "a foreign page, with what the attacker's own sign-in gave, does not sign this browser in", forced),
		rules.One("browser-frame", suite.Low, rules.ASVS("3.4.6"), "Pages cannot be framed by default: a click on a framed page is a click for its site.", "the backend's own pages show nothing to click in a frame on another site's page", framed),
	}
}

func lands(t *suite.T) {
	t.NeedProvider()
	w := t.Window()
	w.Own = w.Open(w.F.Origin)
	before := len(t.Asked(""))
	landed := w.ThroughProvider(world.Ada)
	u, err := url.Parse(landed)
	if err != nil || landed == "" || !strings.HasPrefix(landed, w.F.Origin) {
		t.Fail("she lands at %q", landed)
	}
	session := w.Session()
	if len(session) == 0 {
		t.Fail("she lands at %s without a session", landed)
	}
	if u.Path == t.S.Provider.Callback {
		t.Skip("she lands at the callback itself")
	}
	back := false // before that, the same address may have led to the provider
	for _, a := range t.Asked("")[before:] {
		back = back || strings.HasPrefix(a.URI, t.S.Provider.Callback+"?")
		if back && a.URI == u.RequestURI() && a.Header.Get("Sec-Fetch-Dest") == "document" {
			t.FailIf(!strings.Contains(a.Header.Get("Cookie"), session[0].Name+"="), "%s is asked for without it", u.Path)
		}
	}
}

// astray are ways to write another site's address that some reader takes for a path.
var astray = []string{"https://attacker.test/", "//attacker.test/", `/\attacker.test/`, `\\attacker.test/`, "/\t/attacker.test/", "\t//attacker.test/", "/\r\n/attacker.test/", "///attacker.test/", "/.//attacker.test/",
	"/%5Cattacker.test/", "https:attacker.test/", `https:\attacker.test/`, "https://shop.example.com@attacker.test/", "https://shop.example.com.attacker.test/", "https://attacker.test#.shop.example.com/"}

func returning(t *suite.T, w *suite.Window) {
	p := t.NeedProvider()
	if p.ReturnTo == "" {
		t.Skip("nobody can choose where to land")
	}
	for _, to := range astray { // the provider knows her, and leads straight back
		_ = w.Own.Go(w.F.Base + p.Login + "?" + url.Values{p.ReturnTo: {to}}.Encode())
		at := w.Own.Settled(func(at string) bool { return at != "" && !strings.HasPrefix(at, t.W.IdP.URL()) })
		t.FailIf(!strings.HasPrefix(at, w.F.Base+"/") && !strings.HasPrefix(at, w.F.Origin+"/"), "%q leads to %s", to, at)
	}
}

// opened watches a sign-in from the page that opened its window: the provider knows her,
// so that it runs through by itself.
func opened(t *suite.T, w *suite.Window) {
	p := t.NeedProvider()
	page := w.Open(world.Attacker)
	n := len(t.Asked(p.Callback))
	page.Run(`window.heard = []; addEventListener("message", e => heard.push(JSON.stringify(e.data)))
		window.other = open(%s); setInterval(() => { try { heard.push(other.location.href) } catch {} }, 5); ""`, suite.JS(w.F.Base+p.Login))
	heard := func() string { return page.Run(`heard.filter(said => said !== "about:blank").join(" ")`) }
	if !t.Wait(suite.Settling, func() bool { return heard() != "" || len(t.Asked(p.Callback)) > n && landed(w) }) {
		t.Skip("a sign-in in a window does not run through by itself")
	}
	t.Wait(time.Second, func() bool { return heard() != "" }) // what was said may be on its way
	t.FailIf(heard() != "", "its opener heard %.200s", heard())
}

// landed reports whether no window is on its way any more.
func landed(w *suite.Window) bool {
	all, err := w.Others(chromium.Windows)
	for _, tab := range all {
		done := false
		err = errors.Join(err, tab.Eval(`document.readyState === "complete" && !document.querySelector('meta[http-equiv="refresh" i]') && location.protocol === "https:"`, &done))
		if !done {
			return false
		}
	}
	return err == nil
}

// forced makes a browser that nobody is signed in with take over the attacker's session.
func forced(t *suite.T) {
	w := t.Window()
	w.Own = w.Open(w.F.Origin)
	if f := t.S.Form; f != nil {
		page := w.Open(world.Sibling)
		body := fmt.Sprintf(`{"email":%q,"password":%q}`, world.Bob.Email, world.Bob.Password)
		page.Run(`fetch(%s, { method: "POST", mode: "no-cors", credentials: "include", body: %s }).then(() => "", () => "")`, suite.JS(w.F.Base+f.Path), suite.JS(body))
	} else {
		answer := t.WayBack(t.Browser(), w.F, world.Bob, "")
		page := w.Open(world.Attacker)
		_ = page.Eval("location.href = "+suite.JS(answer), nil)
		if page.Settled(func(at string) bool { return at != "" && !strings.HasPrefix(at, world.Attacker) }) == "" {
			t.Stuck("the link leads nowhere")
		}
	}
	t.FailIf(w.Known(w.Own), "the browser is signed in as the attacker")
}

// framed puts the backend's own pages into frames, and looks for what can be clicked.
func framed(t *suite.T) {
	p := t.NeedProvider()
	w := t.Window()
	page := w.Open(world.Attacker)
	for _, path := range []string{p.Callback, p.Callback + "?error=access_denied&state=x", t.S.Logout} {
		page.Run(`new Promise(done => {
			const frame = document.createElement("iframe")
			frame.onload = () => done("")
			frame.src = %s
			document.body.replaceChildren(frame)
		})`, suite.JS(w.F.Base+path))
		t.FailIf(clickable(t, w) > 0, "%s has something to click", path)
	}
}

func clickable(t *suite.T, w *suite.Window) (most int) {
	frames, err := w.Others(chromium.Frames)
	if err != nil {
		t.Stuck("%v", err)
	}
	for _, frame := range frames {
		n := 0
		script := `location.origin === ` + suite.JS(w.F.Base) + ` ? document.querySelectorAll("a[href], button, input:not([type=hidden]), select").length : 0`
		if err := frame.Eval(script, &n); err == nil { // else it has gone
			most = max(most, n)
		}
	}
	return most
}
