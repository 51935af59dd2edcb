//go:build certified

package oidc_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

// certified is panva's oidc-provider in a process of its own, and a browser.
type certified struct {
	t       *testing.T
	issuer  string
	browser *http.Client
	told    chan string // logout tokens
	key     string      // file of private_key_jwt
}

func startCertified(t *testing.T) *certified {
	t.Helper()
	c := &certified{t: t, told: make(chan string, 4)}
	back := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { c.told <- q.FormValue("logout_token") }))
	t.Cleanup(back.Close)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	c.key = filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	common := map[string]any{"redirect_uris": []string{redirectURI}, "post_logout_redirect_uris": []string{"https://shop.example.com/"}, "response_types": []string{"code"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "backchannel_logout_uri": back.URL, "backchannel_logout_session_required": true, "scope": "openid email offline_access"}
	with := func(more map[string]any) map[string]any {
		all := map[string]any{}
		for _, m := range []map[string]any{common, more} {
			for name, value := range m {
				all[name] = value
			}
		}
		return all
	}
	clients, err := json.Marshal([]any{
		with(map[string]any{"client_id": "basic", "client_secret": "a secret/with?signs"}),
		with(map[string]any{"client_id": "post", "client_secret": "a secret/with?signs", "token_endpoint_auth_method": "client_secret_post"}),
		with(map[string]any{"client_id": "key", "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "require_pushed_authorization_requests": true,
			"dpop_bound_access_tokens": true, "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k", Use: "sig"}}}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command("node", "provider.js")
	process.Dir = "certified"
	process.Env = append(os.Environ(), "CLIENTS="+string(clients))
	var said strings.Builder
	process.Stderr = &said
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	c.issuer = strings.TrimSpace(line)
	jar, _ := cookiejar.New(nil)
	c.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

func (c *certified) client(id string, change func(*configs.Provider)) *oidc.Provider {
	c.t.Helper()
	config := &configs.Provider{Issuer: c.issuer, ProviderClient: configs.ProviderClient{ClientID: id, ClientSecret: credential.NewSecret("a secret/with?signs"), ClientAuth: "auto"}, Scopes: []string{"openid", "email", "offline_access"},
		PAR: "off", DPoP: "off", ProviderClaims: configs.ProviderClaims{Nonce: "on", Userinfo: true}, ProviderSignOut: configs.ProviderSignOut{Logout: "provider"}, ProviderConnection: configs.ProviderConnection{Timeout: 2 * time.Minute}}
	if change != nil {
		change(config)
	}
	p, err := oidc.New(id, config, oidc.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(p.Close)
	return p
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	inputs     = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"`)
)

// browse follows redirects and fills in forms until the browser is sent to stop.
func (c *certified) browse(address, stop string) url.Values {
	c.t.Helper()
	r := &rig{t: c.t}
	p := r.must(c.browser.Get(address))
	for range 12 {
		at, _ := url.Parse(address)
		if to := p.header.Get("Location"); to != "" {
			next, err := at.Parse(to)
			if err != nil {
				c.t.Fatal(err)
			}
			if strings.HasPrefix(next.String(), stop) {
				return next.Query()
			}
			address = next.String()
			p = r.must(c.browser.Get(address))
			continue
		}
		action := formAction.FindStringSubmatch(p.body)
		if action == nil {
			c.t.Fatalf("%d, no form: %s", p.status, p.body)
		}
		form := url.Values{"login": {"ada"}, "password": {"pw"}, "logout": {"yes"}}
		for _, m := range inputs.FindAllStringSubmatch(p.body, -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		next, err := at.Parse(html.UnescapeString(action[1]))
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.HasPrefix(next.String(), stop) {
			return form
		}
		address = next.String()
		p = r.must(c.browser.PostForm(address, form))
	}
	c.t.Fatal("it does not end")
	return nil
}

func (c *certified) signIn(p *oidc.Provider, change func(*oidc.Request)) *oidc.Result {
	c.t.Helper()
	ctx, q := context.Background(), request()
	q.Prompt = "consent"
	if change != nil {
		change(&q)
	}
	address, err := p.Authorize(ctx, q)
	if err != nil {
		c.t.Fatal(err)
	}
	back := c.browse(address, redirectURI)
	if err := p.CheckCallback(ctx, oidc.Callback{Issuer: back.Get("iss"), Error: back.Get("error"), Description: back.Get("error_description")}); err != nil {
		c.t.Fatal(err)
	}
	if back.Get("state") != q.State {
		c.t.Errorf("%v", back)
	}
	result, err := p.Redeem(ctx, oidc.Code{Code: credential.NewSecret(back.Get("code")), Verifier: q.Verifier, Nonce: q.Nonce, RedirectURI: q.RedirectURI, MaxAge: q.MaxAge, DPoP: true})
	if err != nil {
		c.t.Fatal(err)
	}
	if result.Subject != "ada" || !strings.Contains(string(result.UserJSON()), `"email":"ada@example.com"`) {
		c.t.Errorf("%s", result.UserJSON())
	}
	return result
}

// TestCertified: sign-in, refresh with rotation and reuse, revocation and both logouts,
// for each way in which a client can prove itself.
func TestCertified(t *testing.T) {
	c := startCertified(t)
	hour := time.Hour
	for _, row := range []struct {
		id     string
		config func(*configs.Provider)
		ask    func(*oidc.Request)
	}{
		{id: "basic"},
		{id: "basic", config: func(p *configs.Provider) { p.PAR = "required" }, ask: func(q *oidc.Request) { q.MaxAge = &hour }},
		{id: "basic", config: func(p *configs.Provider) { p.DPoP = "auto" }},
		{id: "post", config: func(p *configs.Provider) {
			p.ClientAuth, p.Authorize = "post", map[string]string{"response_mode": "form_post"}
		}},
		{id: "key", config: func(p *configs.Provider) {
			p.ClientSecret, p.ClientKey, p.ClientKeyID, p.PAR, p.DPoP = credential.Secret{}, c.key, "k", "auto", "required"
		}},
	} {
		t.Run(fmt.Sprint(row.id, row.config != nil), func(t *testing.T) {
			c.t = t
			p := c.client(row.id, row.config)
			result := c.signIn(p, row.ask)
			c.lives(p, result)
		})
	}
	if n := len(c.told); n != 0 {
		t.Errorf("%d more logout tokens than sessions", n)
	}
}

// lives takes a session through refreshes to its end.
func (c *certified) lives(p *oidc.Provider, result *oidc.Result) {
	c.t.Helper()
	ctx := context.Background()
	refresh := func(old *credential.Credential) (*credential.Credential, error) {
		return p.Refresh(ctx, old, mapping.Caller{}, time.Now())
	}
	fresh, err := refresh(result.Credential)
	if err != nil {
		c.t.Fatal(err)
	}
	if fresh.Value(credential.RefreshToken).Equal(result.Credential.Value(credential.RefreshToken)) || fresh.Value(oidc.IDToken).IsEmpty() {
		c.t.Error("not rotated, or without an ID token")
	}
	if _, err := p.Userinfo(ctx, fresh, "ada"); err != nil {
		c.t.Error(err)
	}
	out, err := p.EndSessionURL(ctx, oidc.EndSession{IDToken: fresh.Value(oidc.IDToken), RedirectURI: "https://shop.example.com/", State: "s"})
	if err != nil {
		c.t.Fatal(err)
	}
	if got := c.browse(out.Reveal(), "https://shop.example.com/"); got.Get("state") != "s" {
		c.t.Errorf("%v", got)
	}
	select {
	case token := <-c.told:
		logout, err := p.LogoutToken(ctx, token)
		if err != nil || logout.SessionID != result.SessionID || logout.SessionID == "" {
			c.t.Errorf("%+v, %v", logout, err)
		}
	case <-time.After(2 * time.Minute):
		c.t.Error("no logout token came")
	}
	var refusal *mapping.Refusal
	if _, err := refresh(result.Credential); !errors.As(err, &refusal) || refusal.Meaning != mapping.SessionExpired {
		c.t.Errorf("a refresh token was used twice: %v", err)
	}
	if err := p.SignOut(ctx, fresh, mapping.Caller{}); err != nil {
		c.t.Error(err)
	}
}
