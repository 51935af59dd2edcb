// Package window holds the cases that a real Chromium decides: what it keeps and shows of
// a session, what it lets pages of other origins do, and where it lands.
package window

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"coatcheck/bff/conformance/cases/rules"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// All are all of them.
func All() []suite.Case { return slices.Concat(inWindow(), fromElsewhere(), landing()) }

// windowed is a case that looks at a real browser in which she is signed in.
func windowed(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, w *suite.Window)) suite.Case {
	return rules.One(id, severity, source, says, pass, func(t *suite.T) { run(t, t.SignedIn(world.Ada)) })
}

// hers is what the API says that only she may see.
const hers = "what only Ada may see"

// inWindow are the cases about what a real browser keeps and shows of a session.
func inWindow() []suite.Case {
	return []suite.Case{
		windowed("browser-cookie", suite.High, rules.Cookies, "The BFF MUST set Secure and HttpOnly, and SHOULD set no Domain.", "Chromium keeps each cookie of the session as Secure, HttpOnly, Lax or Strict, and for this host alone", kept),
		windowed("browser-script", suite.Critical, rules.Tokens, "A script in the page reaches neither tokens nor the session: BFFs are for that.", "cookies, storage, databases, history and timings that a script can read hold no token and no session", readable),
		windowed("browser-bodies", suite.Critical, rules.Tokens, "The BFF alone handles tokens: they are never available to the browser.", "no header and no body that came to Chromium in a sign-in, a call, who-am-I and a sign-out has a token", func(t *suite.T, w *suite.Window) {
			w.Known(w.Own)
			leak := t.W.Leak(w.Seen())
			t.FailIf(leak != "", "an answer contains the %s", leak)
			w.Leave(w.Own) // on which the ID token may go along, as OpenID Connect RP-Initiated Logout 1.0, 2, recommends
			leak = t.W.Leak(w.Seen(), "access token", "refresh token")
			t.FailIf(leak != "", "an answer to the sign-out contains the %s", leak)
		}),
		windowed("browser-back", suite.Medium, rules.ASVS("14.3.1"), "Authenticated data is cleared from the browser when the session ends.", "after a sign-out, Back does not show a page of the API that she had open", back),
		windowed("browser-second-tab", suite.High, rules.ASVS("7.4.1"), "After a sign-out the session cannot be used.", "a second tab that was open all the time is signed out with the first", func(t *suite.T, w *suite.Window) {
			second := w.Open(w.F.Origin)
			if !w.Known(second) {
				t.Stuck("the second tab was not signed in")
			}
			w.Leave(w.Own)
			t.Wait(t.S.Cached, func() bool { return false })
			mark := t.W.Mark()
			w.Call(second, "GET", w.F.API+mark, "")
			t.FailIf(len(t.Bearing(mark)) > 0, "its calls still reach the API with her token")
			t.FailIf(w.Known(second), "who-am-I still knows her there")
		}),
	}
}

func kept(t *suite.T, w *suite.Window) {
	all := w.Session()
	if len(all) == 0 {
		t.Stuck("Chromium holds no cookie of the session")
	}
	for _, k := range all {
		t.FailIf(!k.HTTPOnly || !k.Secure, "%s: HttpOnly %v, Secure %v", k.Name, k.HTTPOnly, k.Secure)
		t.FailIf(k.SameSite != "Lax" && k.SameSite != "Strict", "%s: SameSite %q", k.Name, k.SameSite)
		t.FailIf(strings.HasPrefix(k.Domain, "."), "%s goes to every host of %s", k.Name, k.Domain)
	}
}

// readAll is what a script on the page finds: of cookies, storage, IndexedDB, the Cache
// API, history, the window's name, and the addresses of everything that was loaded.
const readAll = `(async () => {
	const found = [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), JSON.stringify(history.state), window.name, location.href, document.referrer]
	for (const entry of performance.getEntries()) found.push(entry.name, JSON.stringify(entry.serverTiming ?? ""))
	for (const name of await caches.keys())
		for (const request of await (await caches.open(name)).keys()) found.push(request.url, await (await caches.match(request)).text())
	for (const { name } of await indexedDB.databases()) {
		const db = await new Promise((done, fail) => Object.assign(indexedDB.open(name), { onsuccess: e => done(e.target.result), onerror: fail }))
		for (const store of db.objectStoreNames)
			found.push(JSON.stringify(await new Promise((done, fail) => Object.assign(db.transaction(store).objectStore(store).getAll(), { onsuccess: e => done(e.target.result), onerror: fail }))))
		db.close()
	}
	return found.join("\n")
})()`

func readable(t *suite.T, w *suite.Window) {
	w.Known(w.Own)
	found := w.Own.Run("%s", readAll)
	leak := t.W.Leak(found)
	t.FailIf(leak != "", "a script can read the %s", leak)
	for _, k := range w.Session() {
		t.FailIf(len(k.Value) > 6 && strings.Contains(found, k.Value), "a script can read the cookie %s", k.Name)
	}
}

// back opens a page of the API in a tab, goes on, signs out in another tab, and presses Back.
func back(t *suite.T, w *suite.Window) {
	mark := t.W.Mark()
	t.W.API.Say(mark, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(rw, "<!doctype html><title>hers</title>"+hers)
	})
	tab := w.Open(w.F.Origin)
	tab.Run("location.href = %s", suite.JS(w.F.Base+w.F.API+mark))
	shows := func() bool {
		text := ""
		_ = tab.Eval("document.body.innerText", &text)
		return strings.Contains(text, hers)
	}
	tab.Settled(func(at string) bool { return strings.Contains(at, mark) })
	if !shows() {
		t.Skip("it shows no page of the API to somebody who navigates there")
	}
	tab.Visit(w.F.Origin + "/conformance-page?next")
	w.Leave(w.Own)
	_ = tab.Eval("history.back()", nil)
	if tab.Settled(func(at string) bool { return at != "" && !strings.HasSuffix(at, "?next") }) == "" {
		t.Stuck("Back leads nowhere")
	}
	t.FailIf(shows(), "it does")
}
