// Package opinions tries package oidc against providers made by others, in a module of
// its own, so that what they need stays out of the program's.
package opinions_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

const redirectURI = "http://localhost:9999/auth/callback"

// zitadel starts the example of zitadel's library, itself a certified provider.
func zitadel(t *testing.T) string {
	t.Helper()
	var router http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { router.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	storage.RegisterClients(storage.WebClient("shop", "a secret", redirectURI))
	router = exampleop.SetupServer(server.URL, storage.NewStorage(storage.NewUserStore(server.URL)), slog.New(slog.NewTextHandler(io.Discard, nil)), true)
	return server.URL
}

var hiddenID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// browse signs in and returns what comes back to the client.
func browse(t *testing.T, issuer, address string) url.Values {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range 8 {
		answer, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if found := hiddenID.FindSubmatch(body); found != nil {
			answer, err = browser.PostForm(issuer+"/login/username", url.Values{"id": {string(found[1])}, "username": {"test-user@127.0.0.1"}, "password": {"verysecure"}})
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
		}
		at, _ := url.Parse(address)
		to, err := at.Parse(answer.Header.Get("Location"))
		if err != nil || answer.Header.Get("Location") == "" {
			t.Fatalf("%d at %s: %s", answer.StatusCode, address, body)
		}
		if strings.HasPrefix(to.String(), redirectURI) {
			return to.Query()
		}
		address = to.String()
	}
	t.Fatal("it does not end")
	return nil
}

// TestZitadel: sign-in, userinfo, refresh, token exchange and revocation.
func TestZitadel(t *testing.T) {
	ctx, issuer := context.Background(), zitadel(t)
	p, err := oidc.New("zitadel", &configs.Provider{Issuer: issuer, ProviderClient: configs.ProviderClient{ClientID: "shop", ClientSecret: credential.NewSecret("a secret"), ClientAuth: "auto"}, PAR: "auto", DPoP: "auto",
		ProviderClaims: configs.ProviderClaims{Nonce: "on", Userinfo: true}, ProviderSignOut: configs.ProviderSignOut{Logout: "provider"}, Scopes: []string{"openid", "email", "offline_access"}, ProviderConnection: configs.ProviderConnection{Timeout: 2 * time.Minute}}, oidc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	verifier := credential.NewSecret(strings.Repeat("v", 43))
	address, err := p.Authorize(ctx, oidc.Request{RedirectURI: redirectURI, State: "s", Nonce: "n", Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	back := browse(t, issuer, address)
	if err := p.CheckCallback(ctx, oidc.Callback{Issuer: back.Get("iss"), Error: back.Get("error"), Description: back.Get("error_description")}); err != nil {
		t.Fatal(err)
	}
	result, err := p.Redeem(ctx, oidc.Code{Code: credential.NewSecret(back.Get("code")), Verifier: verifier, Nonce: "n", RedirectURI: redirectURI})
	if err != nil {
		t.Fatal(err)
	}
	if result.Subject != "id1" || !strings.Contains(string(result.UserJSON()), "test-user@zitadel.ch") || !result.Credential.CanRefresh() {
		t.Errorf("%s", result.UserJSON())
	}
	fresh, err := p.Refresh(ctx, result.Credential, mapping.Caller{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Userinfo(ctx, fresh, "id1"); err != nil {
		t.Error(err)
	}
	if err := p.SignOut(ctx, fresh, mapping.Caller{}); err != nil {
		t.Error(err)
	}
	var refusal *mapping.Refusal
	if _, err := p.Refresh(ctx, fresh, mapping.Caller{}, time.Now()); !errors.As(err, &refusal) || refusal.Meaning != mapping.SessionExpired {
		t.Errorf("revoked, and alive: %v", err)
	}
	if out, err := p.EndSessionURL(ctx, oidc.EndSession{IDToken: fresh.Value(oidc.IDToken)}); err != nil || !strings.HasPrefix(out.Reveal(), issuer+"/end_session?") {
		t.Error(err)
	}
	if got, err := p.Inspect(ctx); err != nil || got.Keys == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
