package server_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// TestLeak is the conscience: with marked token, ticket and password through every
// path and error, nothing that Coatcheck writes holds one of them.
func TestLeak(t *testing.T) {
	h := open(t, settings{store: redisURL})
	cookie := h.signIn("ada-MARKED@x.test")
	ticket := strings.TrimPrefix(cookie, "Cookie: __Host-Http-shop=")
	var seen strings.Builder
	note := func(a answer) {
		seen.WriteString(a.Status + "\n")
		_ = a.Header.Write(&seen)
		seen.WriteString(a.body + "\n")
	}
	requests := []string{"GET /api/x", "GET /bff/session", "POST /bff/session", "GET /bff/sessions", "GET /nothing", "GET /api/../x", "GET /api/" + ticket, "POST /v/x", "GET /gone/x", "TRACE /x", "GET /nothing?token=" + ticket,
		"POST /bff/login\n\n" + loginBody("ada-MARKED@x.test", "wrong-"+rig.PasswordMark), "POST /bff/login\n\n" + rig.PasswordMark, "POST /api/x\n\n" + strings.Repeat(rig.PasswordMark, 200)}
	headers := [][]string{{cookie, shop, xcsrf, json_}, {cookie, "X-Bad: a\x01" + ticket}, {cookie, "Origin: https://" + ticket}, {cookie + "; __Host-Http-shop=x", xcsrf}, {"Cookie: __Host-Http-shop=" + ticket + "x", xcsrf}, {cookie, "Host: " + ticket + ".test"}}
	for _, request := range requests {
		for _, set := range headers {
			note(h.call(request, set...))
		}
	}
	for _, broken := range []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write([]byte("x")) },
		func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + ` "}`))
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/?"+rig.TokenMark)
			w.WriteHeader(302)
		},
	} {
		h.api.Say(broken)
		note(h.call("POST /bff/login\n\n"+loginBody("ada-MARKED@x.test", rig.PasswordMark), shop, xcsrf, json_))
		note(h.call("GET /bff/session", cookie, sameOrign))
	}
	h.api.Say(nil)
	h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
	dump := dumpRedis(t)
	note(h.call("POST /bff/logout", cookie, shop, xcsrf))
	for what, text := range map[string]string{"answers": seen.String(), "log": h.logs.String(), "store": dump} {
		for name, mark := range map[string]string{"token": rig.TokenMark, "refresh token": rig.RefreshMark, "password": rig.PasswordMark, "ticket": ticket} {
			// A path that somebody filled with a ticket is theirs to log.
			text := strings.ReplaceAll(text, "/api/"+ticket, "")
			if i := strings.Index(text, mark); i >= 0 {
				t.Errorf("%s: the %s stands in: …%s…", what, name, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	if strings.Contains(dump, "MARKED@") || strings.Contains(h.logs.String(), "MARKED@") {
		t.Error("the person's address stands in the store or the log")
	}
	if len(dump) < 100 || len(h.logs.String()) < 1000 {
		t.Error("nothing was searched")
	}
}

// TestLeakAtProvider: with the marked secrets of a sign-in at a provider through every
// path and error, nothing that Coatcheck writes holds one of them, but for the addresses
// that are meant to: the state goes to the provider, and the ID token to its sign-out.
func TestLeakAtProvider(t *testing.T) {
	a := openAtProvider(t, func(s string) string {
		return replaced(s, `store: "${STORE}"`, `store: "`+redisURL+`"`)
	})
	marks, asked := map[string]string{"client secret": "client-secret-MARKED"}, map[string]string{}
	a.recorded(func() {
		a.record = func(r *http.Request) {
			if r.ParseForm() == nil {
				for name, as := range map[string]string{"code_verifier": "verifier", "code": "code", "refresh_token": "refresh token"} {
					if v := r.PostForm.Get(name); v != "" {
						asked[as] = v
					}
				}
			}
		}
	})
	var seen strings.Builder
	note := func(got answer, meant ...string) answer {
		seen.WriteString(got.Status + "\n")
		for name, values := range got.Header {
			if !slices.Contains(meant, name) {
				seen.WriteString(name + ": " + strings.Join(values, "\n") + "\n")
			}
		}
		seen.WriteString(got.body + "\n")
		return got
	}
	begin := a.call("GET /bff/login?return_to=/cart", navigate, document, html_)
	note(begin, "Location", "Set-Cookie")
	browser := "Cookie: " + strings.SplitN(begin.Header.Get("Set-Cookie"), ";", 2)[0]
	_, marks["browser's secret"], _ = strings.Cut(browser, "=")
	back := a.browse(begin.Header.Get("Location"), "carol@id.test")
	marks["state"] = back.Query().Get("state")
	note(a.call("GET "+back.RequestURI()+"&code=2", navigate, document, html_, browser))
	note(a.call("GET "+back.RequestURI(), "Sec-Fetch-Mode: cors", browser))
	note(a.back(back), "Location", "Set-Cookie") // anew
	landed := note(a.back(back, browser), "Set-Cookie")
	cookie := "Cookie: " + strings.SplitN(landed.Header.Get("Set-Cookie"), ";", 2)[0]
	_, marks["ticket"], _ = strings.Cut(cookie, "=")
	note(a.back(back, browser))
	for _, request := range []string{"GET /api/x", "GET /bff/session", "GET /bff/sessions", "GET /nothing", "GET /bff/callback/none"} {
		note(a.call(request, shop, cookie, xcsrf))
	}
	proxied := a.api.Last(t)
	marks["access token"] = strings.TrimPrefix(proxied.Header.Get("Authorization"), "Bearer ")
	for _, sin := range []provider.Sin{provider.TokenErrorText, provider.InvalidSigRS256, provider.TokenGarbage, provider.ResponseDenied} {
		address, other := a.begin("")
		a.provider.Commit(sin)
		note(a.back(a.browse(address, "bob@id.test"), other))
		a.provider.Commit()
	}
	dump := dumpRedis(t)
	logout := a.provider.LogoutToken("coatcheck", "p-bob", "", "logout+jwt", nil)
	marks["logout token"] = logout
	for range 2 {
		note(a.call("POST /bff/backchannel-logout/id\n\nlogout_token="+logout, "Content-Type: application/x-www-form-urlencoded"))
	}
	out := note(a.call("POST /bff/logout", shop, xcsrf, cookie), "Set-Cookie")
	next := strings.TrimSuffix(strings.TrimPrefix(out.body, `{"continue":"`), `"}`)
	on := note(a.call("GET "+next, navigate, document), "Location")
	end, err := url.Parse(on.Header.Get("Location"))
	if err != nil || end.Query().Get("id_token_hint") == "" {
		t.Fatalf("no ID token at the sign-out: %v", on.Header)
	}
	marks["ID token"] = end.Query().Get("id_token_hint")
	marks["one-time address"] = next[strings.LastIndex(next, "/")+1:]
	dump += dumpRedis(t)
	a.recorded(func() { maps.Copy(marks, asked) })
	for _, name := range []string{"verifier", "code", "access token", "state", "ticket", "browser's secret"} {
		if len(marks[name]) < 20 {
			t.Errorf("nothing marks the %s: %q", name, marks[name])
		}
	}
	for what, text := range map[string]string{"answers": seen.String(), "log": a.logs.String(), "store": dump} {
		for name, mark := range marks {
			text := text
			if name == "one-time address" { // the page is told, and follows it once
				text = strings.ReplaceAll(text, "/bff/logout/"+mark, "")
			}
			if i := strings.Index(text, mark); i >= 0 && mark != "" {
				t.Errorf("%s: the %s stands in: …%s…", what, name, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	if len(dump) < 1000 {
		t.Error("nothing was searched")
	}
	for _, mark := range []string{"p-whom-nothing-names", "carol@id.test", "PRIVATE KEY"} {
		if strings.Contains(dump+a.logs.String(), mark) {
			t.Errorf("store or log holds %q", mark)
		}
	}
}

// dumpRedis returns every key and value of the store.
func dumpRedis(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	var b strings.Builder
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		b.WriteString(key + "\n")
		for _, read := range []func() string{
			func() string { return c.Get(ctx, key).Val() },
			func() string { return strings.Join(c.HVals(ctx, key).Val(), "\n") },
			func() string { return strings.Join(c.ZRange(ctx, key, 0, -1).Val(), "\n") },
			func() string { return strings.Join(c.SMembers(ctx, key).Val(), "\n") },
		} {
			b.WriteString(read() + "\n")
		}
	}
	return b.String()
}
