package provider_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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
	"time"

	"coatcheck/upstream/demo/provider"
)

const (
	back     = "https://shop.example.com/bff/callback/id"
	verifier = "a-verifier-that-is-long-enough-to-be-one-0123"
)

// rig is a provider, a client's secret and a browser.
type rig struct {
	t       *testing.T
	idp     *provider.Provider
	issuer  string
	now     time.Time
	browser *http.Client
	told    chan string // logout tokens
}

var keys = sync.OnceValues(provider.NewKeys)

func newRig(t *testing.T, path string) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Now(), told: make(chan string, 4)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.idp.ServeHTTP(w, q) }))
	t.Cleanup(server.Close)
	client := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { r.told <- q.FormValue("logout_token") }))
	t.Cleanup(client.Close)
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	r.issuer = server.URL + path
	r.idp, err = provider.New(provider.Options{Issuer: r.issuer, Keys: k, Now: func() time.Time { return r.now },
		Clients: []provider.Client{{ID: "shop", Secret: "s", Name: "The <shop>", RedirectURIs: []string{back}, PostLogout: []string{"https://shop.example.com/"}, BackChannel: client.URL}},
		People:  []provider.Person{{Subject: "p-1", Email: "ada@shop.example", Password: "pw", Name: "Ada"}}})
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	r.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return r
}

type page struct {
	status   int
	location *url.URL
	header   http.Header
	body     string
}

func (r *rig) read(answer *http.Response, err error) page {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	to, _ := url.Parse(answer.Header.Get("Location"))
	return page{answer.StatusCode, to, answer.Header, string(body)}
}

func (r *rig) authorize(change func(url.Values)) page {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {"shop"}, "redirect_uri": {back}, "scope": {"openid email"}, "state": {"st"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	if change != nil {
		change(q)
	}
	return r.read(r.browser.Get(r.issuer + "/authorize?" + q.Encode()))
}

var hidden = regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`)

// signIn fills in the page.
func (r *rig) signIn(p page, password string) page {
	r.t.Helper()
	found := hidden.FindStringSubmatch(p.body)
	if found == nil {
		r.t.Fatalf("no form: %d %s", p.status, p.body)
	}
	return r.read(r.browser.PostForm(r.issuer+"/signin", url.Values{"request": {found[2]}, "email": {"ADA@shop.example"}, "password": {password}}))
}

func (r *rig) redeem(code string) (int, map[string]any) {
	r.t.Helper()
	q, _ := http.NewRequest(http.MethodPost, r.issuer+"/token", strings.NewReader(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}}.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.SetBasicAuth("shop", "s")
	p := r.read(http.DefaultClient.Do(q))
	var doc map[string]any
	_ = json.Unmarshal([]byte(p.body), &doc)
	return p.status, doc
}

// TestSignInPage: no script, nothing of the request unescaped, a wrong password said
// once, and a page that was used is too old.
func TestSignInPage(t *testing.T) {
	r := newRig(t, "/realm")
	p := r.authorize(func(q url.Values) { q.Set("login_hint", `"><script>alert(1)</script>`) })
	if p.status != 200 || strings.Contains(p.body, "<script") || !strings.Contains(p.body, "The &lt;shop&gt;") || !strings.HasPrefix(p.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v %s", p.status, p.header, p.body)
	}
	wrong := r.signIn(p, "no")
	if wrong.status != 401 || !strings.Contains(wrong.body, "Wrong e-mail") {
		t.Errorf("%d %s", wrong.status, wrong.body)
	}
	if again := r.signIn(p, "pw"); again.status != 400 {
		t.Errorf("a form was used twice: %d", again.status)
	}
	good := r.signIn(wrong, "pw")
	q := good.location.Query()
	if good.status != 303 || q.Get("state") != "st" || q.Get("iss") != r.issuer || q.Get("code") == "" {
		t.Errorf("%d %v", good.status, good.location)
	}
	if status, doc := r.redeem(q.Get("code")); status != 200 || doc["id_token"] == nil {
		t.Errorf("%d %v", status, doc)
	}
	if status, _ := r.redeem(q.Get("code")); status != 400 {
		t.Errorf("a code was redeemed twice: %d", status)
	}
}

// TestPrompts: who is signed in is not asked again, unless the client wants that.
func TestPrompts(t *testing.T) {
	r := newRig(t, "")
	set := func(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }
	if p := r.authorize(set("prompt", "none")); p.location.Query().Get("error") != "login_required" {
		t.Errorf("%v", p.location)
	}
	r.signIn(r.authorize(nil), "pw")
	if p := r.authorize(set("prompt", "none")); p.location.Query().Get("code") == "" {
		t.Errorf("%v", p.location)
	}
	if p := r.authorize(set("prompt", "login")); p.status != 200 {
		t.Errorf("%d", p.status)
	}
	r.now = r.now.Add(time.Minute)
	if p := r.authorize(set("max_age", "10")); p.status != 200 {
		t.Errorf("%d", p.status)
	}
	if p := r.authorize(set("max_age", "600")); p.location.Query().Get("code") == "" {
		t.Errorf("%v", p.location)
	}
	p := r.authorize(set("prompt", "login"))
	found := hidden.FindStringSubmatch(p.body)
	p = r.read(r.browser.PostForm(r.issuer+"/signin", url.Values{"request": {found[2]}, "cancel": {"1"}}))
	if p.location.Query().Get("error") != "access_denied" {
		t.Errorf("%v", p.location)
	}
}

// TestFormPost: the answer stands in a form that a person can send without a script.
func TestFormPost(t *testing.T) {
	r := newRig(t, "")
	p := r.signIn(r.authorize(func(q url.Values) { q.Set("response_mode", "form_post") }), "pw")
	got := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.body, -1) {
		got.Set(m[1], html.UnescapeString(m[2]))
	}
	if p.status != 200 || !strings.Contains(p.body, `method="post" action="`+back+`"`) || got.Get("state") != "st" || got.Get("iss") != r.issuer || strings.Contains(p.body, "<script") {
		t.Errorf("%d %v %s", p.status, got, p.body)
	}
	if status, _ := r.redeem(got.Get("code")); status != 200 {
		t.Error(status)
	}
}

// TestStrangers: nobody is sent to an address that is not registered.
func TestStrangers(t *testing.T) {
	r := newRig(t, "")
	for what, change := range map[string]func(url.Values){
		"an unknown client":            func(q url.Values) { q.Set("client_id", "x") },
		"an unregistered redirect URI": func(q url.Values) { q.Set("redirect_uri", back+"/x") },
		"a parameter twice":            func(q url.Values) { q.Add("state", "x") },
		"a made-up reference":          func(q url.Values) { q.Set("request_uri", "urn:x") },
	} {
		if p := r.authorize(change); p.status != 400 || p.header.Get("Location") != "" {
			t.Errorf("%s: %d %v", what, p.status, p.location)
		}
	}
	for what, change := range map[string]func(url.Values){
		"no challenge":   func(q url.Values) { q.Del("code_challenge") },
		"plain":          func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"another type":   func(q url.Values) { q.Set("response_type", "token") },
		"a wild max_age": func(q url.Values) { q.Set("max_age", "-1") },
	} {
		if p := r.authorize(change); p.location.Query().Get("error") != "invalid_request" {
			t.Errorf("%s: %d %v", what, p.status, p.location)
		}
	}
}

// TestSignOut: tokens die, the client hears of it, the browser goes back where that is
// registered, and has to sign in again.
func TestSignOut(t *testing.T) {
	r := newRig(t, "")
	_, doc := r.redeem(r.signIn(r.authorize(nil), "pw").location.Query().Get("code"))
	token, _ := doc["access_token"].(string)
	if _, alive := r.idp.Introspect(token); !alive {
		t.Fatal("dead at once")
	}
	hint, _ := doc["id_token"].(string)
	p := r.read(r.browser.Get(r.issuer + "/end_session?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://shop.example.com/"}, "state": {"s"}}.Encode()))
	if p.location.String() != "https://shop.example.com/?state=s" {
		t.Errorf("%d %v", p.status, p.location)
	}
	select {
	case logout := <-r.told:
		if strings.Count(logout, ".") != 2 {
			t.Error(logout)
		}
	case <-time.After(2 * time.Minute):
		t.Error("the client was not told")
	}
	if _, alive := r.idp.Introspect(token); alive {
		t.Error("its token lives on")
	}
	if p := r.authorize(nil); p.status != 200 {
		t.Errorf("still signed in: %d", p.status)
	}
	p = r.read(r.browser.Get(r.issuer + "/end_session?post_logout_redirect_uri=https://evil.example/"))
	if p.status != 200 || p.header.Get("Location") != "" {
		t.Errorf("sent to a stranger: %d %v", p.status, p.location)
	}
	if err := r.idp.EndSession(context.Background(), "unknown"); err != nil {
		t.Error(err)
	}
}
