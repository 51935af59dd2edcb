package oidc_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
	"coatcheck/upstream/signin"
	"coatcheck/upstream/trial"
)

// TestNothingLeaks: code, verifier, tokens, keys and the client's secret are in no line
// of a trace, in no log, in no error, and print nowhere.
func TestNothingLeaks(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, o *provider.Options) {
		bound(c, o)
		c.PAR, c.ClientAuth = "auto", "post"
	})
	var mu sync.Mutex
	var lines strings.Builder
	ctx := signin.WithTrace(context.Background(), trial.New(func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines.WriteString(line + "\n")
	}).Hooks())
	secrets := map[string]string{"secret": clientSecret, "verifier": verifier}
	note := func(c *credential.Credential) {
		for name, value := range c.Values() {
			secrets[fmt.Sprint(name, len(secrets))] = value.Reveal()
		}
	}
	address, err := r.client.Authorize(ctx, request())
	if err != nil {
		t.Fatal(err)
	}
	code := r.browse(address).Get("code")
	secrets["code"] = code
	result, err := r.client.Redeem(ctx, oidc.Code{Code: credential.NewSecret(code), Verifier: credential.NewSecret(verifier), Nonce: nonce, RedirectURI: redirectURI})
	if err != nil {
		t.Fatal(err)
	}
	note(result.Credential)
	fresh, err := r.client.Refresh(ctx, result.Credential, mapping.Caller{}, r.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	note(fresh)
	other, err := r.client.Exchange(ctx, fresh, configs.TokenExchange{Audience: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	note(other)
	logout := r.idp.LogoutToken(clientID, "p-1", "s", "", func(c map[string]any) { delete(c, "events") })
	secrets["logout token"] = logout
	_, failed := r.client.LogoutToken(ctx, logout)
	_, spent := r.client.Redeem(ctx, oidc.Code{Code: credential.NewSecret(code), Verifier: credential.NewSecret(verifier), Nonce: nonce, RedirectURI: redirectURI})
	if err := r.client.SignOut(ctx, fresh, mapping.Caller{}); err != nil {
		t.Fatal(err)
	}
	out, err := r.client.EndSessionURL(ctx, oidc.EndSession{IDToken: fresh.Value(oidc.IDToken)})
	if err != nil {
		t.Fatal(err)
	}
	secrets["end session"] = out.Reveal()
	seen := lines.String() + r.log.String() + fmt.Sprint(failed, spent, out) + fmt.Sprintf("%+v %#v", result, *result)
	if len(lines.String()) < 1000 || failed == nil || spent == nil {
		t.Fatalf("nothing was traced: %s", seen)
	}
	for name, secret := range secrets {
		if len(secret) > 3 && strings.Contains(seen, secret) {
			t.Errorf("%s is shown", name)
		}
	}
	if strings.Contains(seen, "MARKED") {
		t.Errorf("a mark is shown: %s", seen[max(0, strings.Index(seen, "MARKED")-200):])
	}
}
