package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/signin"
)

// TestProviderRenewals: a token that was renewed is the provider's as before. The next
// renewal and the sign-out go there, and never to the API.
func TestProviderRenewals(t *testing.T) {
	a := openAtProviderOf(t, provider.Options{AccessLife: 20 * time.Second}, nil) // shorter than "before"
	cookie := a.signInAt("ada@id.test")
	tokens := map[string]bool{}
	for range 4 {
		a.want(a.call("GET /api/x", shop, cookie), 200, "")
		tokens[a.api.Last(t).Header.Get("Authorization")] = true
	}
	if len(tokens) != 4 {
		t.Errorf("%d tokens of 4 renewals\n%s", len(tokens), a.logs)
	}
	out := a.call("POST /bff/logout", shop, xcsrf, cookie)
	if !strings.Contains(out.body, "continue") {
		t.Errorf("after renewals the provider's session is not ended: %d %s", out.StatusCode, out.body)
	}
	for _, call := range a.api.Calls() {
		if strings.HasPrefix(call.URI, "/auth/") {
			t.Errorf("the API was told of the provider's tokens: %s", call.URI)
		}
	}
}

// TestProviderSeveral: two providers at one frontend, one of them plain OAuth 2.0, whose
// people of one subject are two people; and the cookie lasts as long as any attempt.
func TestProviderSeveral(t *testing.T) {
	var web string
	a := openAtProvider(t, func(s string) string {
		i := strings.Index(s, "issuer: \"") + len("issuer: \"")
		web = s[i : i+strings.IndexByte(s[i:], '"')]
		s = replaced(s, "frontends:\n", "  hub: {authorization: \""+web+"/authorize\", token: \""+web+"/token\", client_id: coatcheck, client_secret: client-secret-MARKED, scopes: [openid], attempt: 5m, user: {url: \""+web+"/userinfo\", subject: /sub}}\nfrontends:\n")
		return replaced(s, "provider: id, fields", "provider: [id, hub], fields")
	})
	signIn := func(name string) string {
		address, browser := a.begin("?provider=" + name) // begin holds the cookie's age against 30 min
		got := a.back(a.browse(address, "ada@id.test"), browser)
		a.wantPage(got, "")
		return "Cookie: " + strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0]
	}
	id, hub := signIn("id"), signIn("hub")
	for _, cookie := range []string{id, hub} {
		a.want(a.call("GET /api/x", shop, cookie), 200, "")
		list := a.call("GET /bff/sessions", shop, cookie)
		if n := strings.Count(list.body, `"id":`); n != 1 {
			t.Errorf("people of two providers share %d sessions: %s", n, list.body)
		}
	}
	// a state of one provider does not open at the other's callback
	address, browser := a.begin("?provider=id")
	back := a.browse(address, "ada@id.test")
	back.Path = "/bff/callback/hub"
	a.wantPage(a.back(back, browser), "login_expired")
	// plain OAuth 2.0 has no logout tokens
	a.want(a.call("POST /bff/backchannel-logout/hub\n\nlogout_token=x", "Content-Type: application/x-www-form-urlencoded"), 404, "not_found")
	a.want(a.call("POST /bff/logout", shop, xcsrf, hub), 204, "")
}

// TestProviderRedirectURI: made of what is configured for the host that is called, and
// the same bytes in both legs, whatever the request says of itself.
func TestProviderRedirectURI(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		s = replaced(s, `origins: ["https://shop.example.com"]`, `origins: ["https://www.example.com", "https://shop.example.com"]`)
		return strings.ReplaceAll(s, "login: {upstream: api, fields: [email, password]}", "login: {upstream: api, provider: id}")
	})
	var second string
	a.recorded(func() {
		a.record = func(r *http.Request) {
			if r.ParseForm() == nil && r.URL.Path == "/token" {
				second = r.PostForm.Get("redirect_uri")
			}
		}
	})
	for _, row := range []struct{ host, base, callback, page string }{
		{"shop.example.com", "", shopCallback, "https://shop.example.com/"},
		{"www.example.com", "", "https://www.example.com/bff/callback/id", "https://www.example.com/"},
		{"SHOP.example.com.:8443", "", shopCallback, "https://shop.example.com/"},
		{"both.example.com", "/east", "https://both.example.com/east/bff/callback/id", "https://pages.example.com/east/"},
		{"both.example.com", "/west", "https://both.example.com/west/bff/callback/id", "https://pages.example.com/west/"},
		{"api.example.com", "", deskCallback, "https://desk.example.com/"},
	} {
		headers := []string{"Host: " + row.host, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "Forwarded: host=evil.example", navigate, document, html_}
		got := a.call("GET "+row.base+"/bff/login", headers...)
		if got.StatusCode != 303 {
			t.Errorf("%s%s: %d %s", row.host, row.base, got.StatusCode, got.body)
			continue
		}
		back := a.browse(got.Header.Get("Location"), "ada@id.test")
		if at := "https://" + back.Host + back.Path; at != row.callback {
			t.Errorf("%s: sent back to %s, want %s", row.host, at, row.callback)
		}
		got = a.call("GET "+back.RequestURI(), append(headers, "Cookie: "+strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0])...)
		a.wantPage(got, "")
		sent := ""
		a.recorded(func() { sent = second })
		if sent != row.callback || !strings.Contains(got.body, "url="+row.page+"\"") {
			t.Errorf("%s: second leg %q, page %s", row.host, sent, got.body)
		}
	}
}

// TestProviderTakenOut: a session whose provider is not configured any more is no
// fault: its token is used, and the person can sign out.
func TestProviderTakenOut(t *testing.T) {
	a := openAtProvider(t, nil)
	cookie := a.signInAt("ada@id.test")
	address, browser := a.begin("")
	back := a.browse(address, "ada@id.test")
	next := *a.config
	next.Providers = map[string]*configs.Provider{}
	next.Frontends = map[string]*configs.Frontend{}
	for name, f := range a.config.Frontends {
		changed := *f
		changed.Login.Provider = nil
		changed.Login.Fields = []string{"email", "password"}
		next.Frontends[name] = &changed
	}
	ups, err := signin.New(next.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ups.Close)
	use, err := a.server.Prepare(&next, ups)
	if err != nil {
		t.Fatal(err)
	}
	use()
	a.want(a.call("GET /api/x", shop, cookie), 200, "")
	a.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	if got := a.call("GET /api/x", shop, cookie); got.StatusCode != 401 || got.code() != "" {
		t.Errorf("a 401 of the API: %d %s", got.StatusCode, got.body)
	}
	a.api.Say(nil)
	if got := a.call("GET "+back.RequestURI(), navigate, document, browser); got.StatusCode != 404 || got.code() != "not_found" {
		t.Errorf("the way back to a provider that is gone: %d %q", got.StatusCode, got.code())
	}
	a.want(a.call("POST /bff/logout", shop, xcsrf, cookie), 204, "")
	a.want(a.call("GET /api/x", shop, cookie), 401, "session_expired")
}

// TestProviderLogoutAnywhere: a logout token may come to any host of ours, and with or
// without a base path: what the token says counts, not where it comes to.
func TestProviderLogoutAnywhere(t *testing.T) {
	a := openAtProvider(t, nil)
	for _, row := range []struct {
		host, path string
		status     int
		who        string
	}{
		{"shop.example.com", "/bff/backchannel-logout/id", 200, "ada"},
		{"both.example.com", "/bff/backchannel-logout/id", 200, "bob"}, // its frontends have base paths, and no provider
		{"both.example.com", "/bff/backchannel-logout/other", 404, "eve"},
		{"strange.example.com", "/bff/backchannel-logout/id", 421, "eve"},
	} {
		cookie := ""
		if row.status == 200 {
			cookie = a.signInAt(row.who + "@id.test")
		}
		token := a.provider.LogoutToken("coatcheck", "p-"+row.who, "", "logout+jwt", nil)
		got := a.call("POST "+row.path+"\n\nlogout_token="+token, "Host: "+row.host, "Content-Type: application/x-www-form-urlencoded")
		if got.StatusCode != row.status {
			t.Errorf("%s%s: %d %s", row.host, row.path, got.StatusCode, got.body)
		}
		if row.status == 200 {
			a.want(a.call("GET /api/x", shop, cookie), 401, "session_expired")
		}
	}
	a.want(a.call("GET /bff/backchannel-logout/id", "Host: both.example.com"), 405, "method_not_allowed")
}

// TestProviderReturnsToNoOther: nobody is led below the /bff of another frontend of the
// host, either.
func TestProviderReturnsToNoOther(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		return strings.ReplaceAll(s, "login: {upstream: api, fields: [email, password]}", "login: {upstream: api, provider: id}")
	})
	for page, status := range map[string]int{"/east/x": 303, "/west/x": 303, "/west/bff": 400, "/west/bff/login": 400, "/WEST/Bff/login": 400, "/west//bff/x": 400, "/west/%62ff/x": 400, "/west/bffs": 303, "/westbff/x": 303} {
		got := a.call("GET /east/bff/login?return_to="+page, "Host: both.example.com", navigate, document, html_)
		if got.StatusCode != status {
			t.Errorf("%s: %d, want %d", page, got.StatusCode, status)
		}
	}
}
