package suite

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/world"
)

// Tab is a page of a frontend at which somebody is signed in.
type Tab struct {
	*browser.Page
	t   *T
	F   Frontend
	Who world.Person
	// SignIn is the last answer of the sign-in; Sets are its Set-Cookie lines.
	SignIn *browser.Answer
}

// patience is how often a person signs in where they are asked to try again later.
const patience = 10

// SignIn signs a person in with a browser of their own, and makes sure that calls work.
func (t *T) SignIn(who world.Person) *Tab { return t.SignInWith(t.Browser(), t.S.Frontend, who) }

// SignInWith is SignIn with a browser, at a frontend.
func (t *T) SignInWith(b *browser.Browser, f Frontend, who world.Person) *Tab {
	tab := t.Enter(b, f, who)
	for tries := 1; tries < patience && tab.SignIn.Status == http.StatusServiceUnavailable; tries++ {
		tab = t.Enter(b, f, who) // its store, or its API, may be slow on a machine that is busy
	}
	mark := t.W.Mark()
	a := tab.Get(f.API + mark)
	calls := t.W.API.Calls(mark)
	if len(calls) != 1 || t.W.Owner(t.S.Token(calls[0])) != who.Email {
		t.Stuck("sign-in did not lead to calls with %s's token: sign-in %d, call %d %s %.200q", who.Email, tab.SignIn.Status, a.Status, a.Blocked, a.Body)
	}
	return tab
}

// Enter signs in without a look at what came of it.
func (t *T) Enter(b *browser.Browser, f Frontend, who world.Person) *Tab {
	tab := &Tab{Page: b.Page(f.Origin), t: t, F: f, Who: who}
	if t.S.Form != nil {
		tab.SignIn = tab.Post(t.S.Form.Path, fmt.Sprintf(`{"email":%q,"password":%q}`, who.Email, who.Password))
	} else {
		tab.SignIn = t.AtProvider(b, f, who)
	}
	return tab
}

// Again signs the person of a tab in once more in the same browser. It skips where that
// leads nowhere new.
func (tab *Tab) Again() *Tab {
	t := tab.t
	if p := t.S.Provider; p != nil {
		tab.Forget(t.W.IdP.URL())
		if page := tab.Navigate("", tab.F.Base+p.Login); page.Status == http.StatusOK && !strings.HasPrefix(page.URL, t.W.IdP.URL()) && tab.Works() {
			t.Skip("it does not lead a person who is signed in to the provider again")
		}
	}
	return t.SignInWith(tab.Browser, tab.F, tab.Who)
}

// Nobody is a page of a frontend in a browser, as it stands.
func (t *T) Nobody(b *browser.Browser, f Frontend) *Tab {
	return &Tab{Page: b.Page(f.Origin), t: t, F: f, SignIn: &browser.Answer{}}
}

// NeedProvider skips where people do not sign in at a provider.
func (t *T) NeedProvider() *Provider {
	if t.S.Provider == nil {
		t.Skip("people do not sign in at a provider in this configuration")
	}
	return t.S.Provider
}

// NeedForm skips where there is no sign-in by form.
func (t *T) NeedForm() *Form {
	if t.S.Form == nil {
		t.Skip("there is no sign-in by JSON form in this configuration")
	}
	return t.S.Form
}

var handle = regexp.MustCompile(`name="request" value="([^"]+)"`)

// AtProvider signs in at the provider's page, and follows back to the frontend.
func (t *T) AtProvider(b *browser.Browser, f Frontend, who world.Person) *browser.Answer {
	back := t.WayBack(b, f, who, "")
	if back == "" {
		t.Stuck("the provider did not send the browser back")
	}
	return b.Navigate(t.W.IdP.URL(), back)
}

// WayBack is the address at which the provider sends the browser back, not yet visited.
func (t *T) WayBack(b *browser.Browser, f Frontend, who world.Person, query string) string {
	p := t.NeedProvider()
	b.Forget(t.W.IdP.URL()) // the provider asks anew who is there
	page := b.Navigate("", f.Base+p.Login+query)
	if page.Err == nil && !strings.HasPrefix(page.URL, t.W.IdP.URL()) {
		t.Stuck("the sign-in did not lead to the provider: %d %s %.200q", page.Status, page.URL, page.Body)
	}
	found := handle.FindStringSubmatch(page.Body)
	if found == nil {
		return ""
	}
	return submit(t, b, html.UnescapeString(found[1]), who)
}

// TryBack is WayBack where it may come to nothing.
func (t *T) TryBack(b *browser.Browser, who world.Person) string {
	page := b.Navigate("", t.S.Base+t.S.Provider.Login)
	found := handle.FindStringSubmatch(page.Body)
	if found == nil {
		return ""
	}
	return submit(t, b, html.UnescapeString(found[1]), who)
}

// submit sends the provider's form.
func submit(t *T, b *browser.Browser, request string, who world.Person) string {
	form := url.Values{"request": {request}, "email": {who.Email}, "password": {who.Password}}
	a := b.Step(t.W.IdP.URL(), "POST", t.W.IdP.URL()+"/signin", form.Encode(), map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}})
	return a.Next()
}

// Get calls as the frontend's own script does.
func (tab *Tab) Get(path string) *browser.Answer { return tab.Call("GET", path, "", nil) }

// Post sends JSON.
func (tab *Tab) Post(path, body string) *browser.Answer {
	return tab.Call("POST", path, body, map[string]string{"Content-Type": "application/json"})
}

// honest are the headers that the product's own pages send with a call.
func (tab *Tab) honest(method string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, tab.t.S.Honest)
	if tab.t.S.Unsafe != nil && method != "GET" && method != "HEAD" && method != "OPTIONS" {
		maps.Copy(all, tab.t.S.Unsafe(tab))
	}
	return all
}

// Call is any call, with what the product's own pages send.
func (tab *Tab) Call(method, path, body string, header map[string]string) *browser.Answer {
	all := tab.honest(method)
	maps.Copy(all, header)
	return tab.Fetch(browser.Request{Method: method, URL: tab.F.Base + path, Body: body, Header: all})
}

// Leave signs out as the product's own pages do.
func (tab *Tab) Leave() *browser.Answer {
	at := tab.F.Logout
	if tab.F.LogoutFrom != nil {
		if own := tab.F.LogoutFrom(tab.Get(tab.F.Me)); own != "" {
			at = own
		}
	}
	if tab.F.LogoutMethod == "GET" {
		a := tab.Step(tab.F.Origin, "GET", tab.F.Base+at, "", nil)
		if tab.t.W.IdP != nil && strings.HasPrefix(a.Next(), tab.t.W.IdP.URL()) {
			tab.Step(tab.F.Origin, "GET", a.Next(), "", nil)
		}
		return a // where it leads then may begin a sign-in of its own
	}
	a := tab.Call(tab.F.LogoutMethod, at, "", nil)
	if idp := tab.t.W.IdP; idp != nil && strings.HasPrefix(a.Body, idp.URL()) {
		tab.Step(tab.F.Origin, "GET", strings.TrimSpace(a.Body), "", nil) // its page is told where to go
	}
	return a
}

// Known asks who is signed in.
func (tab *Tab) Known() bool { return tab.F.Known(tab.Get(tab.F.Me)) }

// Cookie is what the browser sends to the subject, as a header's value: of the session,
// and of nothing else.
func (tab *Tab) Cookie() string {
	var pairs []string
	for _, c := range tab.SessionCookies() {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// SessionCookies are those of the session.
func (tab *Tab) SessionCookies() (found []browser.Cookie) {
	for _, c := range tab.Cookies(tab.F.Base + tab.F.API) {
		if tab.t.S.IsSession(c.Name) {
			found = append(found, c)
		}
	}
	return found
}

// Works reports whether a call of this tab brings its person's token to the API.
func (tab *Tab) Works() bool {
	mark := tab.t.W.Mark()
	tab.Get(tab.F.API + mark)
	calls := tab.t.W.API.Calls(mark)
	return len(calls) > 0 && tab.t.W.Owner(tab.t.S.Token(calls[0])) == tab.Who.Email
}
