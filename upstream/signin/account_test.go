package signin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// accountOf compiles an upstream whose account robot signs in.
func accountOf(t *testing.T, url, upstream string) (*signin.Upstream, *signin.Account) {
	t.Helper()
	text := "sessions: {store: \"memory://\", keys: [\"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=\"]}\nupstreams:\n  api:\n    url: " + url + "\n" + upstream + `
callers: {a: {keys: [], account: robot}}
frontends:
  door: {host: programs.example.com, routes: [{path: /, upstream: api, session: none, callers: [a]}]}
`
	c, faults := read.Text("coatcheck.yaml", []byte(text), func(string) (string, bool) { return "", false }, nil)
	if c == nil {
		t.Fatal(faults)
	}
	set, err := signin.New(c.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set.Get("api"), set.Get("api").Account("robot")
}

// TestAccountOfItsOwn: the request is the account's, its path is closed to routes, and a
// header that a value was taken from is hidden.
func TestAccountOfItsOwn(t *testing.T) {
	var seen *http.Request
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		seen = r
		w.Header().Set("X-Token", "abc")
	}))
	defer api.Close()
	up, robot := accountOf(t, api.URL, `    accounts: {robot: {login: {request: {path: /token, encoding: form, basic: [id, secret], body: {grant_type: client_credentials}}, credential: {access_token: {header: X-Token}}}}}`)
	got, err := robot.SignIn(context.Background(), time.Now())
	if err != nil || got.Value(credential.AccessToken).Reveal() != "abc" {
		t.Fatalf("%v", err)
	}
	if id, secret, ok := seen.BasicAuth(); !ok || id != "id" || secret != "secret" || seen.PostForm.Get("grant_type") != "client_credentials" || seen.URL.Path != "/token" {
		t.Errorf("%s %v", seen.URL, seen.PostForm)
	}
	if !up.Closed([]byte("/token")) || up.Closed([]byte("/tokens")) {
		t.Error("not the path of the sign-in is closed, and it alone")
	}
	if hidden := up.HiddenNames(); !slices.Equal(hidden, []string{"authorization", "x-token"}) {
		t.Errorf("hidden: %v", hidden)
	}
}

// TestAccountTakesNoSteps: where a person would be asked once more, the account is refused.
func TestAccountTakesNoSteps(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"mfa":"x"}`)) }))
	defer api.Close()
	_, robot := accountOf(t, api.URL, `    login:
      request: {path: /login, body: {name: "{name}"}}
      answers: [{at: /mfa, step: otp}]
      credential: {access_token: /token}
      steps: {otp: {fields: [otp], keep: {mfa: /mfa}, request: {path: /mfa, body: {otp: "{otp}"}}}}
    accounts: {robot: {fields: {name: robot}}}`)
	_, err := robot.SignIn(context.Background(), time.Now())
	var refusal *mapping.Refusal
	if !errors.As(err, &refusal) || refusal.Meaning != mapping.MFARequired {
		t.Errorf("%v", err)
	}
}

// TestAccountFingerprint: another secret, path, address or name is another sign-in; the
// same configuration, read again, is the same.
func TestAccountFingerprint(t *testing.T) {
	one := func(url, secret, path string) [32]byte {
		_, robot := accountOf(t, url, `    accounts: {robot: {login: {request: {path: `+path+`, basic: [id, `+secret+`]}, credential: {access_token: /t}}}}`)
		return robot.Fingerprint()
	}
	same := one("https://a.example", "s", "/t")
	if same != one("https://a.example", "s", "/t") {
		t.Error("read again")
	}
	for _, other := range [][32]byte{one("https://b.example", "s", "/t"), one("https://a.example", "z", "/t"), one("https://a.example", "s", "/u")} {
		if other == same {
			t.Error("another sign-in has the same fingerprint")
		}
	}
}
