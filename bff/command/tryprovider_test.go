package command_test

import (
	"bytes"
	"context"
	"fmt"
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

	"coatcheck/bff/command"
	"coatcheck/bff/freeport"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/demo/provider"
)

// screen is what the operator sees.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const registered = "https://shop.example.com/bff/callback/id"

// desk is an operator with a browser, in front of a provider.
type desk struct {
	t        *testing.T
	provider *provider.Provider
	issuer   string
	config   *configs.Config
	listen   string

	mu      sync.Mutex
	secrets []string // that the token endpoint was shown
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, listen: "127.0.0.1:" + freeport.Text(t)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.provider.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	d.issuer = web.URL
	var err error
	d.provider, err = provider.New(provider.Options{Issuer: web.URL,
		Clients: []provider.Client{{ID: "c", Secret: "client-secret-MARKED", RedirectURIs: []string{"http://" + d.listen + "/bff/callback/id", registered}}},
		People:  []provider.Person{{Subject: "p-ada-MARKED", Email: "ada@id.test", Password: "pw", Name: "Ada-MARKED"}},
		Record: func(r *http.Request) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if r.Method == http.MethodPost && r.ParseForm() == nil {
				for _, name := range []string{"code", "code_verifier", "refresh_token", "token"} {
					if v := r.PostForm.Get(name); v != "" {
						d.secrets = append(d.secrets, v)
					}
				}
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`sessions: {store: "memory://", keys: ["dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBzZXJ2ZXIgdGVzdHM="]}
providers: {id: {issuer: %q, client_id: c, client_secret: client-secret-MARKED, scopes: [openid, profile, email, offline_access]}}
upstreams: {api: {url: "https://api.example.net"}}
frontends: {shop: {origins: ["https://shop.example.com"], login: {upstream: api, provider: id}, routes: [{path: /api/, upstream: api}]}}
`, web.URL)
	config, faults := read.Text("x.yaml", []byte(text), func(string) (string, bool) { return "", false }, nil)
	d.config = config
	if configs.Refused(faults) {
		t.Fatal(faults)
	}
	return d
}

// tryShown runs a trial while a person signs in; it returns what was shown.
func (d *desk) tryShown(paste bool) (string, error) {
	d.t.Helper()
	out := &screen{}
	pasted, typed := io.Pipe()
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() { // ends with the trial
		done <- command.ProviderTrial{Config: d.config, Provider: "id", Listen: d.listen, Paste: paste, In: pasted, Out: out}.Run(ctx)
	}()
	found := ""
	for found == "" {
		select {
		case err := <-done:
			return out.String(), err
		case <-time.After(10 * time.Millisecond):
			found = regexp.MustCompile(`(?m)^http\S+/authorize\?\S+$`).FindString(out.String())
		}
	}
	where := d.signIn(found, !paste)
	if paste {
		_, _ = io.WriteString(typed, where+"\n")
	}
	err := <-done
	return out.String(), err
}

// signIn signs in at the provider, and says where the browser ended.
func (d *desk) signIn(address string, goOn bool) string {
	d.t.Helper()
	jar, _ := cookiejar.New(nil)
	b := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := b.Get(address)
	if err != nil {
		d.t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	handle := regexp.MustCompile(`name="request" value="([^"]+)"`).FindStringSubmatch(string(body))
	if handle == nil {
		d.t.Fatalf("no form: %s", body)
	}
	if answer, err = b.PostForm(d.issuer+"/signin", url.Values{"request": {handle[1]}, "email": {"ada@id.test"}, "password": {"pw"}}); err != nil {
		d.t.Fatal(err)
	}
	_ = answer.Body.Close()
	where := answer.Header.Get("Location")
	if goOn {
		if answer, err = b.Get(where); err != nil || answer.StatusCode != 200 {
			d.t.Fatalf("the way back: %v %v", answer, err)
		}
		_ = answer.Body.Close()
	}
	return where
}

// TestTryProvider: each check of a sign-in at a provider is shown, by a loopback
// redirect URI and by a pasted address, and no secret is.
func TestTryProvider(t *testing.T) {
	for name, paste := range map[string]bool{"loopback": false, "paste": true} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			shown, err := d.tryShown(paste)
			if err != nil {
				t.Fatalf("%v\n%s", err, shown)
			}
			for _, want := range []string{"metadata of this issuer", "state: opens", "iss: " + d.issuer, "code: redeemed for access token [text,", "ID token: signature",
				"subject [text, 12]", "name [text, 10]", "refresh: access token", "the refresh token is a new one", "id_token_hint=[text,", "were revoked"} {
				if !strings.Contains(strings.Join(strings.Fields(shown), " "), want) {
					t.Errorf("not shown: %s\n%s", want, shown)
				}
			}
			d.holdsNoSecret(shown)
		})
	}
}

// TestTryProviderFails: a check that fails is named, and the command fails.
func TestTryProviderFails(t *testing.T) {
	for sin, want := range map[provider.Sin]string{provider.NonceInvalid: "nonce", provider.ResponseDenied: "access_denied", provider.ResponseIssOther: "issuer",
		provider.TokenErrorText: "provider says", provider.DiscoveryIssuerMismatch: "issuer"} {
		t.Run(string(sin), func(t *testing.T) {
			d := newDesk(t)
			d.provider.Commit(sin)
			shown, err := d.tryShown(false)
			if _, failed, found := strings.Cut(shown, "FAILED"); err == nil || !found || !strings.Contains(failed, want) {
				t.Errorf("%v\n%s", err, shown)
			}
			d.holdsNoSecret(shown)
		})
	}
}

func (d *desk) holdsNoSecret(shown string) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, secret := range append(d.secrets, "-MARKED", "\x1b") {
		if strings.Contains(shown, secret) {
			d.t.Errorf("%q is shown:\n%s", secret, shown)
		}
	}
}
