package provider_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"coatcheck/upstream/demo/provider"
)

// filledIn is a provider whose form is filled in, and a browser.
func filledIn(t *testing.T) (get func(path string) (int, string)) {
	t.Helper()
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	var idp *provider.Provider
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { idp.ServeHTTP(w, q) }))
	t.Cleanup(server.Close)
	idp, err = provider.New(provider.Options{Issuer: server.URL, Keys: k, Name: "The Lodge", FillIn: true,
		Clients: []provider.Client{{ID: "shop", Secret: "s", RedirectURIs: []string{back}}},
		People: []provider.Person{{Subject: "p-1", Email: "ada@shop.example", Password: "pw-of-ada", Name: "Ada"},
			{Subject: "p-2", Email: "bob@shop.example", Password: "pw-of-bob", Name: "Bob"},
			{Subject: "p-3", Email: "eve@shop.example", Password: "pw-of-eve", Name: "Eve", Unlisted: true}}})
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &rig{t: t, browser: &http.Client{Jar: jar}}
	return func(path string) (int, string) {
		p := browser.read(browser.browser.Get(server.URL + path))
		return p.status, p.body
	}
}

const ask = "/authorize?client_id=shop&response_type=code&code_challenge_method=S256&code_challenge=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&redirect_uri="

// TestFilledIn: the form is filled in for the first person, or for whom the client
// names, and the others need one press.
func TestFilledIn(t *testing.T) {
	get := filledIn(t)
	for hint, want := range map[string][2]string{"": {"ada", "bob"}, "bob@shop.example": {"bob", "ada"}, "zoe@shop.example": {"ada", "bob"}} {
		_, body := get(ask + url.QueryEscape(back) + "&login_hint=" + url.QueryEscape(hint))
		first, rest, ok := strings.Cut(body, `class="others"`)
		if !ok || !strings.Contains(first, `value="pw-of-`+want[0]+`" required`) || strings.Contains(first, "pw-of-"+want[1]) || !strings.Contains(rest, `value="pw-of-`+want[1]) || strings.Contains(body, "pw-of-eve") {
			t.Errorf("%q: %s", hint, body)
		}
		if strings.Contains(body, "<script") || !strings.Contains(body, "The Lodge") {
			t.Errorf("%q: %s", hint, body)
		}
	}
}

// TestHome: who is signed in sees it, and by which applications the session was used.
func TestHome(t *testing.T) {
	r := newRig(t, "")
	r.signIn(r.authorize(nil), "pw")
	if p := r.read(r.browser.Get(r.issuer + "/")); !strings.Contains(p.body, "ada@shop.example") || !strings.Contains(p.body, "The &lt;shop&gt;") || !strings.Contains(p.body, `action="/end_session"`) {
		t.Errorf("%d %s", p.status, p.body)
	}
	get := filledIn(t)
	if status, body := get("/"); status != 200 || !strings.Contains(body, "Nobody is signed in") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get("/else"); status != 404 {
		t.Errorf("elsewhere: %d", status)
	}
}

// TestProvidersJournal: what happened in a session, in its order, and nothing that opens
// anything.
func TestProvidersJournal(t *testing.T) {
	r := newRig(t, "")
	code := r.signIn(r.authorize(nil), "pw").location.Query().Get("code")
	_, doc := r.redeem(code)
	session := r.idp.Sessions()[0]
	events := r.idp.Journal(session, 0)
	var kinds []string
	for i, e := range events {
		kinds = append(kinds, e.Kind)
		if e.N != i+1 || e.Token != "" && strings.Contains(code+doc["access_token"].(string), e.Token) {
			t.Errorf("%+v", e)
		}
	}
	if got := strings.Join(kinds, " "); got != "authorize sign-in code token" {
		t.Errorf("%s", got)
	}
	if rest := r.idp.Journal(session, 3); len(rest) != 1 || rest[0].Token != events[3].Token {
		t.Errorf("%+v", rest)
	}
	if other := r.idp.Journal("another", 0); len(other) != 0 {
		t.Errorf("%+v", other)
	}
}
