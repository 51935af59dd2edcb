package suite

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/chromium"
	"coatcheck/bff/conformance/edge"
	"coatcheck/bff/conformance/world"
)

// Window is one person's real browser, with a profile of its own.
type Window struct {
	*chromium.Profile
	t *T
	F Frontend
	// Own is its tab on a page of the frontend.
	Own *View
	// begun is how much came from the subject before.
	begun int
}

// View is a tab or frame of a window. What goes wrong with the browser itself ends the
// case undecided.
type View struct {
	*chromium.Tab
	t *T
}

// Settling is how long pages may take, on a machine that is busy.
const Settling = 30 * time.Second

// real is the browser of a subject with the end of TLS in front.
type real struct {
	*chromium.Chromium
	edge *edge.Edge
}

// Browser names the browser that cases use, or says why none is.
func (s *Subject) Browser() string {
	if s.seen.real == nil {
		return "none was asked"
	}
	return s.seen.real.Version
}

// realOf starts the browser, once for a subject.
func realOf(t *T) *real {
	if t.S.seen.real != nil {
		return t.S.seen.real
	}
	binary := chromium.Find()
	if binary == "" {
		t.Skip("no browser found: CHROMIUM may name one")
	}
	e, err := edge.New(t.W.Lookup, t.S.Edge)
	if err != nil {
		t.Stuck("the end of TLS does not start: %v", err)
	}
	t.W.OnEnd(e.Close)
	rules := "MAP *.example.com 127.0.0.1:" + e.Port + ", MAP attacker.test 127.0.0.1:" + e.Port + ", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
	c, err := chromium.Start(binary, chromium.Settings{Dir: t.W.Dir, Rules: rules, Pin: e.Pin})
	if err != nil {
		t.Stuck("the browser does not start: %v", err)
	}
	t.W.OnEnd(c.Stop)
	t.S.seen.real = &real{c, e}
	return t.S.seen.real
}

// Window opens a real browser without cookies. It skips where there is none.
func (t *T) Window() *Window {
	p, err := realOf(t).Profile()
	if err != nil {
		t.Stuck("%v", err)
	}
	t.After(p.Close)
	return &Window{Profile: p, t: t, F: t.S.Frontend, begun: len(realOf(t).edge.Seen())}
}

// Open opens a tab with an empty page of an origin.
func (w *Window) Open(origin string) *View {
	tab, err := w.Tab()
	if err != nil {
		w.t.Stuck("%v", err)
	}
	v := &View{tab, w.t}
	v.Visit(origin + edge.Page)
	return v
}

// Visit opens an address, and waits for its document.
func (v *View) Visit(address string) {
	if err := v.Go(address); err != nil {
		v.t.Stuck("%v", err)
	}
	if v.Settled(func(at string) bool { return at != "" && at != "about:blank" }) == "" {
		v.t.Stuck("%s does not load", address)
	}
}

// Settled waits for an address at which the tab stays and which is as a case wants it;
// "" if none came.
func (v *View) Settled(ok func(at string) bool) (at string) {
	v.t.Wait(Settling, func() bool {
		at = ""
		err := v.Eval(`document.readyState === "complete" && !document.querySelector('meta[http-equiv="refresh" i]') ? location.href : ""`, &at)
		return err == nil && ok(at) // in the middle of a navigation there is nobody to answer
	})
	if !ok(at) {
		return ""
	}
	return at
}

// Run runs a script that has to work, and reads what it says.
func (v *View) Run(format string, args ...any) (said string) {
	if err := v.Eval(fmt.Sprintf(format, args...), &said); err != nil {
		v.t.Stuck("a script of the case: %v", err)
	}
	return said
}

// JS is a value as a script writes it.
func JS(value any) string { text, _ := json.Marshal(value); return string(text) }

// SignedIn is a real browser in which a person is signed in, and calls work.
func (t *T) SignedIn(who world.Person) *Window {
	w := t.Window()
	w.Own = w.Open(w.F.Origin)
	status := w.enter(who)
	for tries := 1; tries < patience && status == "503"; tries++ {
		status = w.enter(who)
	}
	if t.S.Form == nil {
		w.Own.Visit(w.F.Origin + edge.Page)
	}
	mark := t.W.Mark()
	said := w.Call(w.Own, "GET", w.F.API+mark, "")
	if bearing := t.Bearing(mark); len(bearing) != 1 || t.W.Owner(t.S.Token(bearing[0])) != who.Email {
		t.Stuck("in the real browser the sign-in (%s) did not lead to calls with %s's token: %.200s", status, who.Email, said)
	}
	return w
}

// enter signs in as the product's own pages do. It says with which status, or where it led.
func (w *Window) enter(who world.Person) string {
	if f := w.t.S.Form; f != nil {
		said := w.Call(w.Own, "POST", f.Path, fmt.Sprintf(`{"email":%q,"password":%q}`, who.Email, who.Password))
		status, _, _ := strings.Cut(said, " ")
		return status
	}
	return w.ThroughProvider(who)
}

// ThroughProvider signs in at the provider's page, by the real redirects. It returns where
// the person lands.
func (w *Window) ThroughProvider(who world.Person) string {
	p := w.t.NeedProvider()
	if err := w.Own.Go(w.F.Base + p.Login); err != nil {
		w.t.Stuck("%v", err)
	}
	idp := w.t.W.IdP.URL()
	if w.Own.Settled(func(at string) bool { return strings.HasPrefix(at, idp) }) == "" {
		w.t.Stuck("the sign-in does not lead to the provider")
	}
	_ = w.Own.Eval(fmt.Sprintf(`{const f = document.forms[0]; f.email.value = %s; f.password.value = %s; f.querySelector("button").click()}`, JS(who.Email), JS(who.Password)), nil)
	return w.Own.Settled(func(at string) bool { return at != "" && !strings.HasPrefix(at, idp) })
}

// Call is a call by script as the product's own pages make it: the status and the body.
func (w *Window) Call(v *View, method, path, body string) string {
	header := w.shadow().honest(method)
	init := map[string]any{"method": method, "credentials": "include", "headers": header}
	if body != "" {
		header["Content-Type"] = "application/json"
		init["body"] = body
	}
	return v.Run(`fetch(%s, %s).then(async r => r.status + " " + await r.text(), e => "0 " + e)`, JS(w.F.Base+path), JS(init))
}

// Known asks who is signed in.
func (w *Window) Known(v *View) bool { return w.F.Known(w.me(v)) }

func (w *Window) me(v *View) *browser.Answer {
	a := &browser.Answer{}
	said := w.Call(v, "GET", w.F.Me, "")
	_, a.Body, _ = strings.Cut(said, " ")
	_, _ = fmt.Sscan(said, &a.Status)
	return a
}

// Leave signs out as the product's own pages do.
func (w *Window) Leave(v *View) {
	at := w.F.Logout
	if w.F.LogoutFrom != nil {
		if own := w.F.LogoutFrom(w.me(v)); own != "" {
			at = own
		}
	}
	if w.F.LogoutMethod == http.MethodGet {
		w.follow(v, w.F.Base+at)
		return
	}
	said := w.Call(v, w.F.LogoutMethod, at, "")
	if _, on, _ := strings.Cut(said, " "); w.t.W.IdP != nil && strings.HasPrefix(on, w.t.W.IdP.URL()) {
		w.follow(v, strings.TrimSpace(on)) // its page is told where to go
	}
}

// follow goes where a link of the page leads, and comes back to the page.
func (w *Window) follow(v *View, address string) {
	before := v.Run("location.href")
	v.Run("location.href = %s", JS(address))
	if v.Settled(func(at string) bool { return at != "" && at != before }) == "" {
		w.t.Stuck("%s leads nowhere", address)
	}
	v.Visit(w.F.Origin + edge.Page)
}

// Session are the session's cookies as the browser itself keeps them.
func (w *Window) Session() (found []chromium.Cookie) {
	all, err := w.Cookies()
	if err != nil {
		w.t.Stuck("%v", err)
	}
	for _, k := range all {
		if w.t.S.IsSession(k.Name) {
			found = append(found, k)
		}
	}
	return found
}

var sameSite = map[string]http.SameSite{"Strict": http.SameSiteStrictMode, "Lax": http.SameSiteLaxMode, "None": http.SameSiteNoneMode}

// shadow is the suite's own browser with the same cookies: it finds out what pages of the
// product send along.
func (w *Window) shadow() *Tab {
	tab := w.t.Nobody(w.t.Browser(), w.F)
	all, err := w.Cookies()
	if err != nil {
		w.t.Stuck("%v", err)
	}
	for _, k := range all {
		domain, ofSite := strings.CutPrefix(k.Domain, ".")
		tab.Put(browser.Cookie{Name: k.Name, Value: k.Value, Domain: domain, HostOnly: !ofSite, Path: k.Path, Secure: k.Secure, HTTPOnly: k.HTTPOnly, SameSite: sameSite[k.SameSite]})
	}
	return tab
}

// Seen is all that came to the browser from the subject, Set-Cookie aside.
func (w *Window) Seen() string { return realOf(w.t).edge.Seen()[w.begun:] }

// Asked are the requests of real browsers that have been answered and whose address
// contains a word.
func (t *T) Asked(word string) (found []edge.Asked) {
	for _, a := range realOf(t).edge.Asked() {
		if strings.Contains(a.URI, word) {
			found = append(found, a)
		}
	}
	return found
}

// Answered waits until a request with a mark has been answered.
func Answered(t *T, mark string) bool {
	return t.Wait(Settling, func() bool { return len(t.Asked(mark)) > 0 })
}
