package signin_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// No cookie of one person is sent with the next one's sign-in.
func TestCookiesAreNotShared(t *testing.T) {
	const text = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: {cookie: sid}}
  user: {from: request, path: /me}
send: {headers: {Cookie: "sid={access_token}"}}
`
	u, api := oneAPI(t, text,
		reply{status: 200, header: map[string]string{"Set-Cookie": "sid=ada; Path=/; HttpOnly"}}, reply{status: 200, body: `{"id":1}`},
		reply{status: 200, header: map[string]string{"Set-Cookie": "sid=bob; Path=/; HttpOnly"}}, reply{status: 200, body: `{"id":2}`})
	for _, name := range []string{"ada", "bob"} {
		in, err := signIn(u)
		if err != nil || in.Credential.Value("access_token").Reveal() != name {
			t.Fatal(in, err)
		}
	}
	for i, want := range []string{"", "sid=ada", "", "sid=bob"} {
		if got := api.questions()[i].header.Get("Cookie"); got != want {
			t.Errorf("question %d carried %q, want %q", i, got, want)
		}
	}
}

// Many people at once each get their own token.
func TestSignInsDoNotMix(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/me" {
			body = []byte(fmt.Sprintf(`{"email":%q}`, r.Header.Get("Authorization")))
		}
		_, _ = w.Write(body)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	cfg := parseMapping(t, `api:
  url: https://api.example.net
  login:
    request: {path: /login, body: {email: "{email}", password: "{password}"}}
    credential: {access_token: /email}
    user: {from: request, path: /me, subject: /email}`)
	cfg["api"].URL, cfg["api"].CA = s.URL, writePEM(t, "ca.pem", "CERTIFICATE", s.Certificate().Raw)
	cfg["api"].ConnectTimeout, cfg["api"].Login.Timeout = time.Minute, time.Minute // fifty handshakes at once
	u := newSet(t, cfg).Get("api")
	var all sync.WaitGroup
	var wrong atomic.Int32
	for i := range 50 {
		all.Go(func() {
			name := fmt.Sprintf("person-%d", i)
			in, err := u.Ways.SignIn(t.Context(), secrets("email", name, "password", "pw"), browser(), now)
			if err != nil || in.Subject != "Bearer "+name || in.Credential.Value("access_token").Reveal() != name {
				wrong.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != 0 {
		t.Fatalf("%d of 50 got something else", wrong.Load())
	}
}

// A redirect is not followed: a 307 would post the password to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	other := newStandIn(t, reply{status: 200, body: `{"token":"evil"}`})
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{other.URL + "/login", "/elsewhere"} {
			u, api := oneAPI(t, plain, reply{status: status, header: map[string]string{"Location": target}})
			in, err := signIn(u)
			if fate(in, err) != "upstream_invalid" {
				t.Errorf("%d to %s: %v", status, target, err)
			}
			if _, err := u.Refresh(t.Context(), holding("refresh_token", "r"), browser(), now); fate(nil, err) != "upstream_invalid" {
				t.Errorf("%d at refresh: %v", status, err)
			}
			if err := u.SignOut(t.Context(), holding("access_token", "a"), browser()); err != nil {
				t.Errorf("%d at sign-out: %v", status, err)
			}
			if len(api.questions()) != 3 {
				t.Errorf("%d was followed", status)
			}
		}
	}
	if len(other.questions()) != 0 {
		t.Error("the other host was asked")
	}
}

// Nothing is repeated: a rotating refresh token can be used once.
func TestNothingIsRepeated(t *testing.T) {
	u, api := oneAPI(t, plain, reply{status: 503, header: map[string]string{"Retry-After": "0"}})
	_, _ = signIn(u)
	_, _ = u.Refresh(t.Context(), holding("refresh_token", "r"), browser(), now)
	if len(api.questions()) != 2 {
		t.Errorf("asked %d times", len(api.questions()))
	}
}
