package adapters

import (
	"encoding/json"
	"net/http"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

const agent = "/oauth-agent"

// curity is Curity's OAuth agent with its OAuth proxy in an API gateway:
// https://curity.io/resources/learn/token-handler-overview/. A script of the page begins
// and ends the sign-in by POST; the agent answers with the address of the provider, and
// with a CSRF token for calls that change data.
func curity(w *world.World) (*suite.Subject, error) {
	address, p, err := external(w, "/callback")
	if err != nil {
		return nil, err
	}
	s := behindTLS(address, p, suite.Frontend{API: "/api/", Me: agent + "/userInfo", Known: answersMail, LogoutMethod: http.MethodPost, Logout: agent + "/logout"})
	s.IsSession = func(name string) bool {
		return strings.HasSuffix(name, "-at") || strings.HasSuffix(name, "-auth") || strings.HasSuffix(name, "-id")
	}
	s.Provider = &suite.Provider{Login: "/", Callback: "/callback", Script: curityScript, IsAttempt: func(name string) bool { return strings.HasSuffix(name, "-login") }}
	s.Unsafe = func(tab *suite.Tab) map[string]string {
		return map[string]string{"X-Example-CSRF": curityEnd(tab.Page, tab.F.Origin+"/")}
	}
	return s, nil
}

// curityScript is the application: its page at / begins a sign-in, and its page at the
// callback ends one.
func curityScript(b *browser.Browser, a *browser.Answer) string {
	page := b.Page(world.Shop)
	switch {
	case strings.HasPrefix(a.URL, world.Shop+"/callback"):
		curityEnd(page, a.URL)
	case a.URL == world.Shop+"/":
		var begun struct {
			At string `json:"authorizationRequestUrl"`
		}
		_ = json.Unmarshal([]byte(page.Fetch(browser.Request{Method: http.MethodPost, URL: world.Shop + agent + "/login/start"}).Body), &begun)
		return begun.At
	}
	return ""
}

// curityEnd tells the agent the page's address; it answers with the CSRF token.
func curityEnd(page *browser.Page, at string) string {
	body, _ := json.Marshal(map[string]string{"pageUrl": at})
	var ended struct{ CSRF string }
	a := page.Fetch(browser.Request{Method: http.MethodPost, URL: world.Shop + agent + "/login/end", Body: string(body), Header: map[string]string{"Content-Type": "application/json"}})
	_ = json.Unmarshal([]byte(a.Body), &ended)
	return ended.CSRF
}
