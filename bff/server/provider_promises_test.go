package server_test

import (
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// TestBackChannelEndsStreams: a stream that runs at another replica ends within a second
// of the provider's word.
func TestBackChannelEndsStreams(t *testing.T) {
	a := openAtProviderOf(t, provider.Options{}, func(yaml string) string { return replaced(yaml, `"${STORE}"`, `"`+redisURL+`"`) })
	second := &house{t: t, api: a.api, logs: new(rig.Buffer)}
	second.build(a.config)
	for try := 1; ; try++ { // a machine may be too busy for a second, but not always
		person := []string{"ada", "bob"}[try%2] + "@id.test" // whose last logout token is older than the sign-in
		cookie, api := a.signInAt(person), newFeed()
		got := second.events(cookie, api)
		api.send("data: 1\n\n")
		second.read(got.Body, "data: 1\n\n")
		token := a.provider.LogoutToken("coatcheck", "p-"+person[:3], "", "logout+jwt", nil)
		a.want(a.postLogout(token), 200, "")
		begun := time.Now()
		if rest, _ := io.ReadAll(got.Body); len(rest) > 0 {
			t.Errorf("behind the end: %q", rest)
		}
		if took := time.Since(begun); took < time.Second {
			return
		} else if try == 10 {
			t.Fatalf("the stream ended after %v", took)
		}
	}
}

// TestProviderLogoutAddress: it works for a minute, once, and then no more.
func TestProviderLogoutAddress(t *testing.T) {
	a := openAtProvider(t, nil)
	var ahead atomic.Int64
	late := &house{t: t, api: a.api, logs: new(rig.Buffer), now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	late.build(a.config)
	a.house = late
	address := regexp.MustCompile(`^\{"continue":"([^"]+)"\}$`)
	for _, row := range []struct {
		after  time.Duration
		status int
	}{{50 * time.Second, 303}, {61 * time.Second, 404}} {
		out := a.call("POST /bff/logout", shop, xcsrf, a.signInAt("ada@id.test"))
		next := address.FindStringSubmatch(out.body)
		if next == nil {
			t.Fatalf("sign-out: %d %s", out.StatusCode, out.body)
		}
		ahead.Add(int64(row.after))
		if got := a.call("GET "+next[1], navigate, document); got.StatusCode != row.status {
			t.Errorf("after %v: %d", row.after, got.StatusCode)
		}
	}
}

// TestProviderSubjectTombstone: a logout token without sid ends also a sign-in that is
// being stored, and none that the provider signed in later.
func TestProviderSubjectTombstone(t *testing.T) {
	a := openAtProvider(t, nil)
	address, browser := a.begin("")
	back := a.browse(address, "ada@id.test")
	until := func(c map[string]any) { c["iat"] = time.Now().Unix() + 50 }
	a.want(a.postLogout(a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", until)), 200, "")
	a.wantPage(a.back(back, browser), "login_expired")
	address, browser = a.begin("")
	if got := a.back(a.browse(address, "bob@id.test"), browser); sessionCookie(got) == "" {
		t.Errorf("somebody else: %d %s", got.StatusCode, got.body)
	}
}

// withoutPAR makes what goes to the provider readable in the address.
func withoutPAR(yaml string) string {
	return replaced(yaml, "client_id: coatcheck,", "client_id: coatcheck, par: off,")
}

// TestProviderStepUpStays: who is signed in and must prove more goes to the provider of
// the session, unless the page names another.
func TestProviderStepUpStays(t *testing.T) {
	a := openAtProvider(t, func(yaml string) string {
		yaml = withoutPAR(yaml)
		id := regexp.MustCompile(`\n  id: (\{issuer: [^\n]*\})`).FindStringSubmatch(yaml)
		yaml = replaced(yaml, id[0], id[0]+"\n  hub: "+id[1])
		return replaced(yaml, "provider: id, fields", "provider: [id, hub], fields")
	})
	address, browser := a.begin("?provider=hub")
	cookie := sessionCookie(a.back(a.browse(address, "ada@id.test"), browser))
	for query, want := range map[string]string{
		"?acr=gold": "hub", "?max_age=60": "hub", "?max_age=60&provider=id": "id", "?return_to=/x": "id", "": "id",
	} {
		got := a.call("GET /bff/login"+query, navigate, document, html_, cookie)
		to, err := url.Parse(got.Header.Get("Location"))
		if err != nil || to.Query().Get("redirect_uri") != "https://shop.example.com/bff/callback/"+want {
			t.Errorf("%q leads to %s", query, got.Header.Get("Location"))
		}
	}
	if got := a.call("GET /bff/login?acr=gold", navigate, document, html_); !strings.Contains(got.Header.Get("Location"), url.QueryEscape("callback/id")) {
		t.Errorf("nobody is signed in: %s", got.Header.Get("Location"))
	}
}

// TestProviderRestartKeepsHints: what the page hinted goes along a second time.
func TestProviderRestartKeepsHints(t *testing.T) {
	a := openAtProvider(t, withoutPAR)
	for hint, kept := range map[string]bool{"ada@id.test": true, strings.Repeat("<", 256): true} {
		query := url.Values{"login_hint": {hint}, "ui_locales": {"de fr"}, "return_to": {"/cart"}}
		address, _ := a.begin("?" + query.Encode())
		got := a.back(a.browse(address, "ada@id.test")) // without the cookie: anew
		to, err := url.Parse(got.Header.Get("Location"))
		if q := to.Query(); err != nil || got.StatusCode != 303 || (q.Get("login_hint") == hint && q.Get("ui_locales") == "de fr") != kept {
			t.Errorf("%d %s", got.StatusCode, to)
		}
	}
}
