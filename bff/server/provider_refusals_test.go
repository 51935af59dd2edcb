package server_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"coatcheck/upstream/demo/provider"
)

// foreign are words of the provider's that no page, document or header may hold.
var foreign = regexp.MustCompile(`alert\(1\)|script>|evil\.example|a=b|access_denied|server_error`)

// sinner is one sin of a provider and what becomes of the sign-in. An empty code: the
// person is signed in all the same.
type sinner struct {
	sin   provider.Sin
	query string // of the sign-in
	code  string
}

// sinners are all sins that a sign-in can meet. Those of the OpenID Foundation's
// conformance suite have its names.
var sinners = []sinner{
	{provider.NonceInvalid, "", "login_failed"}, {provider.NonceMissing, "", "login_failed"}, {provider.InvalidIss, "", "login_failed"},
	{provider.MissingAud, "", "login_failed"}, {provider.InvalidAud, "", "login_failed"}, {provider.ExtraAud, "", "login_failed"},
	{provider.ExtraAudNoAzp, "", "login_failed"}, {provider.OtherAzp, "", "login_failed"}, {provider.MissingSub, "", "login_failed"},
	{provider.EmptySub, "", "login_failed"}, {provider.MissingIat, "", "login_failed"}, {provider.FutureIat, "", "login_failed"},
	{provider.MissingExp, "", "login_failed"}, {provider.Expired, "", "login_failed"}, {provider.NotYet, "", "login_failed"},
	{provider.InvalidAtHash, "", "login_failed"}, {provider.InvalidSigRS256, "", "login_failed"}, {provider.InvalidSigES256, "", "login_failed"},
	{provider.InvalidSigHS256, "", "login_failed"}, {provider.SigNone, "", "login_failed"}, {provider.SignedRS256, "", ""},
	{provider.SignedES256, "", ""}, {provider.SignedPS256, "", ""}, {provider.SignedEdDSA, "", ""},
	{provider.HMACWithPublicKey, "", "login_failed"}, {provider.HMACWithSecret, "", "login_failed"}, {provider.AlgUnannounced, "", "login_failed"},
	{provider.KeyInHeader, "", "login_failed"}, {provider.KidAbsentSingle, "", ""}, {provider.KidAbsentMultiple, "", "login_failed"},
	{provider.KidUnknown, "", "login_failed"}, {provider.KeyForEncryption, "", "login_failed"}, {provider.WeakKey, "", "login_failed"},
	{provider.AuthTimeMissing, "?max_age=600", "login_failed"}, {provider.AuthTimeOld, "?max_age=600", "login_failed"},
	{provider.OtherACR, "?acr=gold", "login_failed"}, {provider.MissingIDToken, "", "login_failed"}, {provider.GarbageIDToken, "", "login_failed"},
	{provider.RotatedJustBefore, "", ""},
	{provider.ResponseIssOther, "", "login_failed"}, {provider.ResponseIssMissing, "", "login_failed"}, {provider.ResponseDenied, "", "login_refused"},
	{provider.ResponseServerError, "", "login_failed"}, {provider.TokenGarbage, "", "login_failed"}, {provider.TokenHTML, "", "login_failed"},
	{provider.TokenForm, "", "login_failed"}, {provider.TokenError500, "", "login_failed"}, {provider.TokenError200, "", "login_failed"},
	{provider.TokenErrorText, "", "login_failed"}, {provider.TokenRedirect, "", "login_failed"}, {provider.TokenHuge, "", "login_failed"},
	{provider.TokenTypeOther, "", "login_failed"}, {provider.TokenBoundUnasked, "", "login_failed"}, {provider.TokenMissing, "", "login_failed"},
	{provider.TokenUnsendable, "", "login_failed"}, {provider.TokenNoExpiry, "", ""}, {provider.TokenTextExpiry, "", ""},
	{provider.RevocationError, "", ""},
}

// TestProviderSins: whatever the provider does wrong, the person gets a page with a
// clear code and not a word of the provider's, and whoever is signed in stays so.
func TestProviderSins(t *testing.T) {
	for _, row := range sinners {
		t.Run(string(row.sin), func(t *testing.T) {
			a := openAtProvider(t, func(s string) string {
				return replaced(s, "scopes: [openid,", "par: \"off\", scopes: [openid,")
			})
			if row.sin == provider.AlgUnannounced || row.sin == provider.WeakKey || row.sin == provider.KidAbsentSingle || row.sin == provider.KidAbsentMultiple || row.sin == provider.KeyForEncryption {
				a.provider.Commit(row.sin) // also in what is fetched once
			}
			bob := a.signInAtOr("bob@id.test")
			a.provider.Commit(row.sin)
			address, browser := a.begin(row.query)
			got := a.back(a.browse(address, "ada@id.test"), browser)
			a.wantPage(got, row.code)
			if bob != "" {
				a.provider.Commit()
				a.want(a.call("GET /api/x", shop, bob), 200, "")
			}
		})
	}
}

// signInAtOr is signInAt for a provider that may not let anybody in; then it is empty.
func (a *atProvider) signInAtOr(email string) string {
	a.t.Helper()
	address, browser := a.begin("")
	got := a.back(a.browse(address, email), browser)
	if set := got.Header.Get("Set-Cookie"); set != "" {
		return "Cookie: " + strings.SplitN(set, ";", 2)[0]
	}
	return ""
}

// statuses of the codes that a way back can end with.
var statuses = map[string]int{"login_failed": 502, "login_refused": 403, "not_admitted": 403, "login_expired": 400, "login_elsewhere": 400,
	"bad_request": 400, "bad_return_to": 400, "provider_unreachable": 502, "store_unavailable": 503, "body_too_large": 413, "unsupported_media_type": 415}

// wantPage wants a page of ours: the landing page, or one with a code.
func (a *atProvider) wantPage(got answer, code string) {
	a.t.Helper()
	status := 200
	if code != "" {
		status = statuses[code]
	}
	if got.StatusCode != status || got.code() != code {
		a.t.Errorf("got %d %q, want %d %q\n%s\n%s", got.StatusCode, got.code(), status, code, got.body, a.logs)
	}
	h := got.Header
	policy := h.Get("Content-Security-Policy")
	if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(policy, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'") || h.Get("Content-Type") != "text/html; charset=utf-8" {
		a.t.Errorf("headers of a page: %v", h)
	}
	cookies := h.Values("Set-Cookie")
	if code == "" != (len(cookies) == 1) {
		a.t.Errorf("cookies: %q", cookies)
	}
	if code != "" && !strings.Contains(got.body, h.Get("X-Request-Id")) {
		a.t.Errorf("the page does not name its request: %s", got.body)
	}
	var head strings.Builder
	_ = h.Write(&head)
	if found := foreign.FindString(got.body + head.String()); found != "" {
		a.t.Errorf("the provider's words: %q in %s", found, got.body)
	}
	if strings.Contains(got.body, "<script") {
		a.t.Errorf("a page runs a script: %s", got.body)
	}
}

// TestProviderAttacks: what somebody who has one half of a sign-in can do with it.
func TestProviderAttacks(t *testing.T) {
	a := openAtProvider(t, nil)
	ada := a.signInAt("ada@id.test")
	begin := func(email string) (*url.URL, string) {
		address, browser := a.begin("")
		return a.browse(address, email), browser
	}
	with := func(u *url.URL, name, value string) *url.URL {
		v, q := *u, u.Query()
		q.Set(name, value)
		v.RawQuery = q.Encode()
		return &v
	}
	mallory, malloryBrowser := begin("bob@id.test")
	victim, victimBrowser := begin("ada@id.test")

	t.Run("login CSRF: my callback in your browser", func(t *testing.T) {
		got := a.back(mallory, victimBrowser)
		if got.StatusCode != 303 || !strings.HasPrefix(got.Header.Get("Location"), a.web.URL) || strings.Contains(got.Header.Get("Set-Cookie"), "__Host-Http-shop=") {
			t.Errorf("%d %v", got.StatusCode, got.Header)
		}
		back := a.browse(got.Header.Get("Location"), "ada@id.test")
		if back.Query().Get("code") == mallory.Query().Get("code") {
			t.Error("the first code went on")
		}
	})
	t.Run("state of one attempt, cookie of another", func(t *testing.T) {
		if got := a.back(with(victim, "state", mallory.Query().Get("state")), victimBrowser); got.StatusCode != 303 {
			t.Errorf("%d %s", got.StatusCode, got.body)
		}
	})
	t.Run("mix-up: another issuer answers", func(t *testing.T) {
		a.wantPage(a.back(with(victim, "iss", "https://evil.example"), victimBrowser), "login_failed")
		a.wantPage(a.back(with(victim, "iss", a.web.URL+"/"), victimBrowser), "login_failed")
		none := with(victim, "iss", "")
		a.wantPage(a.back(none, victimBrowser), "login_failed")
	})
	t.Run("cookie tossing: two cookies of one name", func(t *testing.T) {
		name, value, _ := strings.Cut(strings.TrimPrefix(malloryBrowser, "Cookie: "), "=")
		got := a.back(victim, victimBrowser+"; "+name+"="+value)
		if got.StatusCode != 303 || strings.Contains(got.Header.Get("Set-Cookie"), "__Host-Http-shop=") {
			t.Errorf("%d %v", got.StatusCode, got.Header)
		}
	})
	t.Run("a state of another frontend, host or provider", func(t *testing.T) {
		a.wantPage(a.call("GET "+victim.RequestURI(), apiHost, navigate, document, html_, victimBrowser), "login_expired")
		sealed := strings.TrimPrefix(victim.Query().Get("state"), "shop.")
		a.wantPage(a.back(with(victim, "state", "desk."+sealed), victimBrowser), "login_expired")
	})
	for name, change := range map[string]func(u *url.URL) *url.URL{
		"parameter twice":         func(u *url.URL) *url.URL { v := *u; v.RawQuery += "&code=x"; return &v },
		"unknown parameter twice": func(u *url.URL) *url.URL { v := *u; v.RawQuery += "&x=1&x=2"; return &v },
		"code too long":           func(u *url.URL) *url.URL { return with(u, "code", strings.Repeat("c", 8<<10+1)) },
		"state too long":          func(u *url.URL) *url.URL { return with(u, "state", "shop."+strings.Repeat("A", 4096)) },
		"query that breaks off":   func(u *url.URL) *url.URL { v := *u; v.RawQuery += "&x=%zz"; return &v },
	} {
		t.Run(name, func(t *testing.T) { a.wantPage(a.back(change(victim), victimBrowser), "bad_request") })
	}
	t.Run("neither code nor error", func(t *testing.T) {
		a.wantPage(a.back(with(victim, "code", ""), victimBrowser), "login_failed")
	})
	t.Run("error and code together", func(t *testing.T) {
		a.wantPage(a.back(with(victim, "error", "server_error"), victimBrowser), "login_failed")
	})
	t.Run("after all that, the victim's own way back", func(t *testing.T) {
		a.wantPage(a.back(victim, victimBrowser), "")
	})
	t.Run("code injection: your code in my attempt", func(t *testing.T) {
		stolen, stolenBrowser := begin("ada@id.test")
		a.wantPage(a.back(with(mallory, "code", stolen.Query().Get("code")), malloryBrowser), "login_failed")
		again := a.back(with(mallory, "code", stolen.Query().Get("code")), malloryBrowser)
		if again.StatusCode != 200 || len(again.Header.Values("Set-Cookie")) != 0 {
			t.Errorf("an attempt that was used: %d %v", again.StatusCode, again.Header)
		}
		a.wantPage(a.back(stolen, stolenBrowser), "login_failed") // the provider saw its code with a wrong verifier
	})
	t.Run("PKCE downgrade", func(t *testing.T) {
		address, _ := a.begin("")
		q, _ := url.Parse(address)
		if v := q.Query(); v.Get("request_uri") == "" && (v.Get("code_challenge_method") != "S256" || len(v.Get("code_challenge")) != 43) {
			t.Errorf("no S256: %s", address)
		}
		for _, bad := range []string{"?code_challenge_method=plain", "?scope=admin", "?redirect_uri=https://evil.example", "?response_mode=fragment", "?state=x"} {
			a.wantPage(a.call("GET /bff/login"+bad, navigate, document, html_), "bad_request")
		}
	})
	a.want(a.call("GET /api/x", shop, ada), 200, "")
}

// TestProviderRestartElsewhere: an attempt that goes on in another browser must not end
// the session that runs in the first one.
func TestProviderRestartElsewhere(t *testing.T) {
	a := openAtProvider(t, nil)
	ada := a.signInAt("ada@id.test")
	address, _ := a.begin("", sameOrign, ada)
	elsewhere := a.back(a.browse(address, "bob@id.test")) // a browser without the cookie
	if elsewhere.StatusCode != 303 {
		t.Fatalf("%d %s", elsewhere.StatusCode, elsewhere.body)
	}
	cookie := "Cookie: " + strings.SplitN(elsewhere.Header.Get("Set-Cookie"), ";", 2)[0]
	a.wantPage(a.back(a.browse(elsewhere.Header.Get("Location"), "bob@id.test"), cookie), "")
	a.want(a.call("GET /api/x", shop, ada), 200, "")
}

// TestProviderReplaces: a sign-in takes the place of the session that ran when it
// began, of that whose cookie comes along, and of that of another tab.
func TestProviderReplaces(t *testing.T) {
	a := openAtProvider(t, nil)
	first := a.signInAt("ada@id.test")
	address, browser := a.begin("", sameOrign, first)
	got := a.back(a.browse(address, "bob@id.test"), browser)
	a.wantPage(got, "")
	a.want(a.call("GET /api/x", shop, first), 401, "session_expired")

	second := "Cookie: " + strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0]
	one, _ := a.begin("", browser) // two tabs of one browser
	two, _ := a.begin("", browser)
	tabOne, tabTwo := a.browse(one, "ada@id.test"), a.browse(two, "ada@id.test")
	a.wantPage(a.back(tabTwo, browser), "")
	last := a.back(tabOne, browser)
	a.wantPage(last, "")
	a.want(a.call("GET /api/x", shop, second), 401, "session_expired")
	third := "Cookie: " + strings.SplitN(last.Header.Get("Set-Cookie"), ";", 2)[0]
	list := a.call("GET /bff/sessions", shop, third)
	if n := strings.Count(list.body, `"id":`); n != 1 {
		t.Errorf("%d sessions of one browser: %s", n, list.body)
	}
}

// TestProviderPages: what the page says, where it leads, and error_path in its place.
func TestProviderPages(t *testing.T) {
	a := openAtProvider(t, nil)
	a.provider.Commit(provider.ResponseDenied)
	address, browser := a.begin("?return_to=/cart%23top&provider=id")
	got := a.back(a.browse(address, "ada@id.test"), browser)
	a.wantPage(got, "login_refused")
	link := html.UnescapeString(regexp.MustCompile(`href="([^"]+)"`).FindStringSubmatch(got.body)[1])
	if link != "/bff/login?provider=id&return_to=https%3A%2F%2Fshop.example.com%2Fcart%23top" {
		t.Errorf("sign in again: %q", link)
	}
	a.want(a.call("GET "+link, navigate, document), 303, "")

	a.provider.Commit(provider.ResponseTemporarily)
	address, browser = a.begin("?return_to=/cart")
	got = a.back(a.browse(address, "ada@id.test"), browser)
	if got.StatusCode != 303 {
		t.Fatalf("temporarily_unavailable: %d", got.StatusCode)
	}
	a.wantPage(a.back(a.browse(got.Header.Get("Location"), "ada@id.test"), browser), "login_failed")

	a.provider.Commit()
	address, browser = a.begin("?return_to=/cart&prompt=none")
	got = a.back(a.browse(address, "ada@id.test"), browser)
	if got.StatusCode != 200 || len(got.Header.Values("Set-Cookie")) != 0 || !strings.Contains(got.body, "https://shop.example.com/cart") {
		t.Errorf("prompt=none with nobody there: %d %v %s", got.StatusCode, got.Header, got.body)
	}

	shared := a.call("GET /bff/login?frontend=desk&return_to=//evil.test", apiHost, navigate, document, html_)
	a.wantPage(shared, "bad_return_to")
	if !strings.Contains(shared.body, `href="/bff/login?frontend=desk"`) {
		t.Errorf("on a shared host the link must say which frontend: %s", shared.body)
	}
}

// TestProviderErrorPath: the frontend's own page is told the code, and never the code of
// the provider.
func TestProviderErrorPath(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		s = replaced(s, `origins: ["https://shop.example.com"]`, `origins: ["https://www.example.com", "https://shop.example.com"]`)
		return replaced(s, "provider: id, fields", "provider: id, error_path: /login, fields")
	})
	a.provider.Commit(provider.ResponseDenied)
	for page, origin := range map[string]string{
		"/cart": "https://shop.example.com", "https://shop.example.com/": "https://shop.example.com",
		"https://www.example.com/cart": "https://www.example.com", // the page that was wanted lives there
	} {
		address, browser := a.begin("?return_to=" + page)
		got := a.back(a.browse(address, "ada@id.test"), browser)
		want := fmt.Sprintf("%s/login?error=login_refused&request_id=%s", origin, got.Header.Get("X-Request-Id"))
		if got.StatusCode != 303 || got.Header.Get("Location") != want || got.code() != "login_refused" || got.Header.Get("Referrer-Policy") != "no-referrer" || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", page, got.StatusCode, got.Header)
		}
	}
}

// TestProviderFormPost: the answer to a POST is the same address as GET, with what the
// callback reads and nothing else.
func TestProviderFormPost(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		return replaced(s, "scopes: [openid,", "authorize: {response_mode: form_post}, scopes: [openid,")
	})
	form := "Content-Type: application/x-www-form-urlencoded"
	post := func(body string, headers ...string) answer {
		return a.call("POST /bff/callback/id\n\n"+body, append([]string{"Origin: " + a.web.URL, "Sec-Fetch-Site: cross-site", navigate, document, html_}, headers...)...)
	}
	got := post("code=c&state=shop.AAAA&iss=i&id_token=MARKED&user=x&error_description=d", form)
	if got.StatusCode != 303 || got.Header.Get("Location") != "/bff/callback/id?code=c&iss=i&state=shop.AAAA" || got.Header.Get("Cache-Control") != "no-store" || len(got.Header.Values("Set-Cookie")) != 0 {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	a.wantPage(post("code=c&code=d", form), "bad_request")
	a.wantPage(post("code="+strings.Repeat("c", 8<<10+1), form), "bad_request")
	a.wantPage(post("code=c", "Content-Type: text/plain"), "unsupported_media_type")
	a.wantPage(post("code="+strings.Repeat("c", 33<<10), form), "body_too_large")
}

// TestProviderBackChannelMatrix: every logout token that the specification refuses, and
// every form that is not one.
func TestProviderBackChannelMatrix(t *testing.T) {
	a := openAtProvider(t, nil)
	ada := a.signInAt("ada@id.test")
	form := "Content-Type: application/x-www-form-urlencoded"
	token := func(change func(map[string]any)) string {
		return a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", change)
	}
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
	good := url.QueryEscape(token(nil))
	for name, row := range map[string]struct{ body, kind string }{
		"no form":              {"logout_token=" + good, "Content-Type: application/json"},
		"no type":              {"logout_token=" + good, ""},
		"parameter twice":      {"logout_token=" + good + "&logout_token=" + good, form},
		"parameter missing":    {"token=" + good, form},
		"parameter empty":      {"logout_token=", form},
		"over 32 KiB":          {"logout_token=" + good + "&x=" + strings.Repeat("x", 32<<10), form},
		"broken escape":        {"logout_token=%zz", form},
		"iss":                  {"logout_token=" + token(set("iss", "https://evil.example")), form},
		"aud":                  {"logout_token=" + token(set("aud", "somebody")), form},
		"iat missing":          {"logout_token=" + token(set("iat", nil)), form},
		"iat old":              {"logout_token=" + token(set("iat", 1_000_000)), form},
		"exp over":             {"logout_token=" + token(set("exp", 1_000_000)), form},
		"jti missing":          {"logout_token=" + token(set("jti", nil)), form},
		"events missing":       {"logout_token=" + token(set("events", nil)), form},
		"events another":       {"logout_token=" + token(set("events", map[string]any{"x": map[string]any{}})), form},
		"events no object":     {"logout_token=" + token(set("events", "x")), form},
		"nonce":                {"logout_token=" + token(set("nonce", "n")), form},
		"neither sub nor sid":  {"logout_token=" + token(set("sub", nil)), form},
		"typ of an ID token's": {"logout_token=" + a.provider.LogoutToken("coatcheck", "p-ada", "", "at+jwt", nil), form},
	} {
		got := a.call("POST /bff/backchannel-logout/id\n\n"+row.body, row.kind)
		if got.StatusCode != 400 || got.body != `{"error":"invalid_request"}` || got.Header.Get("Cache-Control") != "no-store" || got.code() != "bad_request" {
			t.Errorf("%s: %d %v %s", name, got.StatusCode, got.Header, got.body)
		}
		if said := a.reason(got); said == "" {
			t.Errorf("%s: the log does not say why", name)
		}
	}
	for _, sin := range []provider.Sin{provider.InvalidSigRS256, provider.SigNone, provider.HMACWithSecret, provider.KidUnknown} {
		a.provider.Commit(sin)
		bad := token(nil)
		a.provider.Commit()
		if got := a.call("POST /bff/backchannel-logout/id\n\nlogout_token="+bad, form); got.StatusCode != 400 {
			t.Errorf("%s: %d %s", sin, got.StatusCode, got.body)
		}
	}
	a.want(a.call("POST /bff/backchannel-logout/other\n\nlogout_token="+good, form), 404, "not_found")
	a.want(a.call("GET /bff/backchannel-logout/id"), 405, "method_not_allowed")
	a.want(a.call("GET /api/x", shop, ada), 200, "")
	// as the provider itself calls: any host of ours, any origin, exp left out
	got := a.call("POST /bff/backchannel-logout/id\n\nlogout_token="+token(set("exp", nil)), form, apiHost, "Origin: "+a.web.URL, "Sec-Fetch-Site: cross-site")
	if got.StatusCode != 200 || got.body != "" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("good one: %d %s", got.StatusCode, got.body)
	}
	a.want(a.call("GET /api/x", shop, ada), 401, "session_expired")
}

// TestProviderTombstone: a sign-in that is being stored while the provider ends its
// session gives no session.
func TestProviderTombstone(t *testing.T) {
	a := openAtProvider(t, nil)
	address, browser := a.begin("")
	back := a.browse(address, "ada@id.test")
	sessions := a.provider.Sessions()
	if len(sessions) != 1 {
		t.Fatalf("sessions at the provider: %q", sessions)
	}
	got := a.call("POST /bff/backchannel-logout/id\n\nlogout_token="+a.provider.LogoutToken("coatcheck", "p-ada", sessions[0], "logout+jwt", nil), "Content-Type: application/x-www-form-urlencoded")
	a.want(got, 200, "")
	a.wantPage(a.back(back, browser), "login_expired")
}
