package server_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// atProvider is a house whose shop and desk sign people in at a provider, shop by form
// as well.
type atProvider struct {
	*house
	provider *provider.Provider
	web      *httptest.Server
	mu       sync.Mutex
	record   func(r *http.Request) // sees what the provider is asked, under mu; may be nil
}

const (
	shopCallback = "https://shop.example.com/bff/callback/id"
	deskCallback = "https://api.example.com/bff/callback/id"
	navigate     = "Sec-Fetch-Mode: navigate"
	document     = "Sec-Fetch-Dest: document"
	html_        = "Accept: text/html"
)

func openAtProvider(t *testing.T, change func(yaml string) string) *atProvider {
	t.Helper()
	return openAtProviderOf(t, provider.Options{}, change)
}

// openAtProviderOf is openAtProvider with options of the provider's.
func openAtProviderOf(t *testing.T, o provider.Options, change func(yaml string) string) *atProvider {
	t.Helper()
	a := &atProvider{}
	a.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.provider.ServeHTTP(w, r) }))
	t.Cleanup(a.web.Close)
	var err error
	o.Issuer = a.web.URL
	o.Record = func(r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.record != nil {
			a.record(r)
		}
	}
	o.Clients = []provider.Client{{ID: "coatcheck", Secret: "client-secret-MARKED",
		RedirectURIs: append([]string{shopCallback, deskCallback}, otherCallbacks...), PostLogout: []string{"https://shop.example.com/", "https://desk.example.com/"}}}
	o.People = []provider.Person{{Subject: "p-ada", Email: "ada@id.test", Password: "pw", Name: "Ada"}, {Subject: "p-bob", Email: "bob@id.test", Password: "pw", Name: "Bob"},
		{Subject: "p-whom-nothing-names", Email: "carol@id.test", Password: "pw", Name: "Carol"}}
	a.provider, err = provider.New(o)
	if err != nil {
		t.Fatal(err)
	}
	a.house = open(t, settings{edit: func(s string) string {
		s = replaced(s, "frontends:\n", "providers:\n  id: {issuer: \""+a.web.URL+"\", client_id: coatcheck, client_secret: client-secret-MARKED, scopes: [openid, profile, email, offline_access]}\nfrontends:\n")
		s = replaced(s, "login: {upstream: api, fields: [email, password], expose: [id, email]}", "login: {upstream: api, provider: id, fields: [email, password], expose: [sub, email, name]}")
		s = replaced(s, "login: {upstream: api, fields: [email, password], expose: [id, email]}", "login: {upstream: api, provider: [id], expose: [sub, email]}")
		if change != nil {
			s = change(s)
		}
		return s
	}})
	return a
}

// otherCallbacks are those of further hosts, base paths and names.
var otherCallbacks = []string{"https://shop.example.com/bff/callback/hub", "https://www.example.com/bff/callback/id",
	"https://both.example.com/east/bff/callback/id", "https://both.example.com/west/bff/callback/id"}

// recorded runs f while the provider is asked nothing.
func (a *atProvider) recorded(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

var signInHandle = regexp.MustCompile(`name="request" value="([^"]+)"`)

// browse goes to the provider's page, signs in there, and returns the address that the
// browser is sent back to.
func (a *atProvider) browse(address, email string) *url.URL {
	a.t.Helper()
	jar, _ := cookiejar.New(nil)
	b := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := b.Get(address)
	if err != nil {
		a.t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if found := signInHandle.FindStringSubmatch(string(body)); found != nil {
		if answer, err = b.PostForm(a.web.URL+"/signin", url.Values{"request": {found[1]}, "email": {email}, "password": {"pw"}}); err != nil {
			a.t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || back.Query().Get("state") == "" {
		a.t.Fatalf("not sent back: %v %q", answer.Status, answer.Header.Get("Location"))
	}
	return back
}

// begin opens the sign-in as a browser does, and returns where it leads and the cookie.
func (a *atProvider) begin(query string, headers ...string) (address, cookie string) {
	a.t.Helper()
	got := a.call("GET /bff/login"+query, append([]string{navigate, document, html_}, headers...)...)
	if got.StatusCode != 303 {
		a.t.Fatalf("GET /bff/login%s: %d %s", query, got.StatusCode, got.body)
	}
	set := got.Header.Get("Set-Cookie")
	name, rest, _ := strings.Cut(set, "=")
	value, attributes, _ := strings.Cut(rest, ";")
	if !strings.HasSuffix(name, "-login") || len(value) != 43 || attributes != " Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=1800" {
		a.t.Errorf("cookie of the browser: %q", set)
	}
	return got.Header.Get("Location"), "Cookie: " + name + "=" + value
}

func (a *atProvider) back(to *url.URL, headers ...string) answer {
	a.t.Helper()
	return a.call("GET "+to.RequestURI(), append([]string{"Sec-Fetch-Site: cross-site", navigate, document, html_}, headers...)...)
}

// signInAt signs a person in, and returns the session's cookie.
func (a *atProvider) signInAt(email string) string {
	a.t.Helper()
	address, browser := a.begin("?return_to=/cart%23top")
	got := a.back(a.browse(address, email), browser)
	if got.StatusCode != 200 || !strings.Contains(got.body, `content="0;url=https://shop.example.com/cart#top"`) {
		a.t.Fatalf("landing: %d %v %s\n%s", got.StatusCode, got.Header, got.body, a.logs)
	}
	return "Cookie: " + strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0]
}

// TestProviderSignIn: there, back, a call with the token, a renewal, and out again.
func TestProviderSignIn(t *testing.T) {
	a := openAtProvider(t, nil)
	got := a.call("GET /bff/session", shop)
	a.want(got, 200, "")
	if !strings.Contains(got.body, `"providers":["id"]`) || !strings.Contains(got.body, `"fields":["email","password"]`) {
		t.Errorf("a page cannot draw its buttons: %s", got.body)
	}
	cookie := a.signInAt("ada@id.test")
	got = a.call("GET /bff/session", shop, cookie)
	if !strings.Contains(got.body, `"sub":"p-ada"`) || !strings.Contains(got.body, `"name":"Ada"`) {
		t.Errorf("session: %s", got.body)
	}
	a.want(a.call("GET /api/orders", shop, cookie), 200, "")
	token := strings.TrimPrefix(a.api.Last(t).Header.Get("Authorization"), "Bearer ")
	if grant, ok := a.provider.Introspect(token); !ok || grant.Subject != "p-ada" {
		t.Errorf("the API got %q", token)
	}
	out := a.call("POST /bff/logout", shop, xcsrf, cookie)
	a.want(out, 200, "")
	next := regexp.MustCompile(`^\{"continue":"(/bff/logout/[A-Za-z0-9_-]{43})"\}$`).FindStringSubmatch(out.body)
	if next == nil {
		t.Fatalf("sign-out: %s", out.body)
	}
	a.want(a.call("GET "+next[1], "Sec-Fetch-Mode: cors", shop), 403, "navigation_required")
	on := a.call("GET "+next[1], navigate, document)
	if to := on.Header.Get("Location"); on.StatusCode != 303 || !strings.HasPrefix(to, a.web.URL+"/end_session?") || !strings.Contains(to, "id_token_hint=") {
		t.Errorf("the provider's sign-out: %d %q", on.StatusCode, to)
	}
	if got := a.call("GET "+next[1], navigate, document); got.StatusCode != 404 || got.code() != "not_found" {
		t.Errorf("the address works twice: %d %q", got.StatusCode, got.code())
	}
	rig.Until(t, "the token to be revoked", func() bool { _, alive := a.provider.Introspect(token); return !alive })
	a.want(a.call("GET /api/orders", shop, cookie), 401, "session_expired")
}

// TestProviderSharedHost: a navigation says by the parameter frontend whose it is, and
// the way back by the state.
func TestProviderSharedHost(t *testing.T) {
	a := openAtProvider(t, nil)
	if got := a.call("GET /bff/login", apiHost, navigate, document); got.StatusCode != 303 {
		t.Errorf("one frontend of the host has a provider: %d %s", got.StatusCode, got.body)
	}
	address, browser := a.begin("?frontend=desk&return_to=https://desk.example.com/x", apiHost)
	to := a.browse(address, "bob@id.test")
	if to.Host != "api.example.com" {
		t.Fatalf("sent back to %s", to)
	}
	got := a.back(to, apiHost, browser)
	if got.StatusCode != 200 || !strings.Contains(html.UnescapeString(got.body), "https://desk.example.com/x") {
		t.Fatalf("landing: %d %s", got.StatusCode, got.body)
	}
	cookie := "Cookie: " + strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0]
	a.want(a.call("GET /api/x", apiHost, desk, cookie), 200, "")
	a.want(a.call("POST /bff/login\n\n{}", apiHost, desk, xcsrf, json_), 405, "method_not_allowed")
}

// TestProviderAttempts: every way back that is not this browser's own, and no other.
func TestProviderAttempts(t *testing.T) {
	a := openAtProvider(t, nil)
	address, browser := a.begin("")
	to := a.browse(address, "ada@id.test")

	// without the cookie: anew, once, with the same page
	got := a.back(to)
	if got.StatusCode != 303 || !strings.HasPrefix(got.Header.Get("Location"), a.web.URL+"/authorize") {
		t.Fatalf("without the browser's cookie: %d %s", got.StatusCode, got.body)
	}
	again := a.browse(got.Header.Get("Location"), "ada@id.test")
	second := a.back(again)
	if second.StatusCode != 400 || second.code() != "login_elsewhere" || second.Header.Get("Set-Cookie") != "" || !strings.Contains(second.body, "Sign in again") {
		t.Errorf("second time: %v %s", second.Header, second.body)
	}

	got = a.back(to, browser)
	a.want(got, 200, "")
	if got.Header.Get("Set-Cookie") == "" || got.Header.Get("Content-Security-Policy") == "" || got.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("landing: %v", got.Header)
	}
	got = a.back(to, browser)
	a.want(got, 200, "") // the back button: quietly on
	if got.Header.Get("Set-Cookie") != "" {
		t.Error("a replayed callback gives a session")
	}
	for name, row := range map[string]struct{ change, code string }{
		"two states":    {"&state=x", "bad_request"},
		"no state":      {"?code=x", "login_expired"},
		"garbage state": {"?code=x&state=shop.AAAA", "login_expired"},
		"other state":   {"?code=x&state=desk.AAAA", "login_expired"},
	} {
		path := row.change
		if strings.HasPrefix(path, "&") {
			path = "?" + to.RawQuery + path
		}
		if got := a.call("GET /bff/callback/id"+path, navigate, document, html_, browser); got.StatusCode != 400 || got.Header.Get("Coatcheck-Error") != row.code {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Header.Get("Coatcheck-Error"))
		}
	}
	for name, row := range map[string]struct {
		request string
		headers []string
		status  int
		code    string
	}{
		"fetch":             {"GET /bff/login", []string{shop, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, 403, "navigation_required"},
		"iframe":            {"GET /bff/login", []string{navigate, "Sec-Fetch-Dest: iframe"}, 403, "navigation_required"},
		"prefetch":          {"GET /bff/login", []string{navigate, document, "Sec-Purpose: prefetch"}, 403, "prefetch_refused"},
		"unknown parameter": {"GET /bff/login?redirect=/x", []string{navigate, document}, 400, "bad_request"},
		"open redirect":     {"GET /bff/login?return_to=//evil.test", []string{navigate, document}, 400, "bad_return_to"},
		"foreign page":      {"GET /bff/login?return_to=https://evil.test/", []string{navigate, document}, 400, "bad_return_to"},
		"unknown provider":  {"GET /bff/login?provider=other", []string{navigate, document}, 400, "bad_request"},
		"unknown callback":  {"GET /bff/callback/other?state=x", []string{navigate, document}, 404, "not_found"},
		"PUT callback":      {"PUT /bff/callback/id", nil, 405, "method_not_allowed"},
	} {
		if got := a.call(row.request, row.headers...); got.StatusCode != row.status || got.Header.Get("Coatcheck-Error") != row.code {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Header.Get("Coatcheck-Error"))
		}
	}
	form := a.call("POST /bff/callback/id\n\n"+to.RawQuery+"&session_state=x", "Content-Type: application/x-www-form-urlencoded", "Origin: "+a.web.URL, navigate, document)
	if where := form.Header.Get("Location"); form.StatusCode != 303 || !strings.HasPrefix(where, "/bff/callback/id?") || strings.Contains(where, "session_state") {
		t.Errorf("form_post: %d %q", form.StatusCode, where)
	}
}

// TestProviderBackChannel: the provider ends sessions at all frontends, once for each token.
func TestProviderBackChannel(t *testing.T) {
	a := openAtProvider(t, nil)
	ada, bob := a.signInAt("ada@id.test"), a.signInAt("bob@id.test")
	send := func(token string) answer {
		return a.call("POST /bff/backchannel-logout/id\n\nlogout_token="+url.QueryEscape(token), "Content-Type: application/x-www-form-urlencoded")
	}
	token := a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", nil)
	a.want(send(token), 200, "")
	dead := a.call("GET /api/x", shop, ada)
	a.want(dead, 401, "session_expired")
	if !strings.Contains(dead.body, `"reason":"revoked"`) {
		t.Errorf("reason: %s", dead.body)
	}
	a.want(a.call("GET /api/x", shop, bob), 200, "")
	for name, body := range map[string]string{"replay": token, "garbage": "x.y.z", "nothing": ""} {
		if got := send(body); got.StatusCode != 400 || got.body != `{"error":"invalid_request"}` {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
	}
	a.signInAt("ada@id.test") // signs in anew
	_ = a.provider.EndSession(context.Background(), "none")
}
