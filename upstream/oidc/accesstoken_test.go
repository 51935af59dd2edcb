package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

// asAccess makes a logout token's claims those of an access token, and then changes them.
func asAccess(change func(map[string]any)) func(map[string]any) {
	return func(c map[string]any) {
		delete(c, "events")
		c["aud"], c["azp"] = []string{"coatcheck", "other"}, "erp"
		if change != nil {
			change(c)
		}
	}
}

// TestAccessToken is the matrix of tokens that programs present.
func TestAccessToken(t *testing.T) {
	r := newRig(t, nil)
	ctx, now := context.Background(), r.clock.Now().Unix()

	for _, row := range []signedToken{
		{name: "as RFC 9068 has it", typ: "at+jwt", good: true},
		{name: "typ is JWT (Keycloak, Entra)", typ: "JWT", good: true},
		{name: "typ is absent", good: true},
		{name: "typ in full", typ: "application/at+jwt", good: true},
		{name: "a logout token", typ: "logout+jwt", reason: "typ"},
		{name: "a proof", typ: "dpop+jwt", reason: "typ"},
		{name: "one audience", change: with("aud", "coatcheck"), good: true},
		{name: "other audiences", change: with("aud", []string{"other"}), reason: "audiences"},
		{name: "no audience", change: without("aud"), reason: "audiences"},
		{name: "the audience is a number", change: with("aud", 7), reason: "claims"},
		{name: "another issuer", change: with("iss", "https://evil.example"), reason: "issuer"},
		{name: "an issuer with a slash", change: func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" }, reason: "issuer"},
		{name: "no issuer", change: without("iss"), reason: "issuer"},
		{name: "expired", change: with("exp", now-120), reason: "expired"},
		{name: "expired within the skew", change: with("exp", now-30), good: true},
		{name: "no end", change: without("exp"), reason: "expired"},
		{name: "not yet", change: with("nbf", now+3600), reason: "token"},
		{name: "not yet, by two minutes", change: with("nbf", now+120), reason: "nbf"},
		{name: "typ is a number", typ: string(provider.TypNumber), reason: "typ"},
		{name: "sub again in capitals", change: with("SUB", "somebody-else"), reason: "other letters"},
		{name: "iat in the future", change: with("iat", now+600), reason: "iat"},
		{name: "iat is a text, which no log line repeats", change: with("iat", "MARKED"), reason: "failed to unmarshal claims"},
		{name: "no iat", change: without("iat"), good: true},
		{name: "bound to a key", change: with("cnf", map[string]any{"jkt": "x"}), reason: "bound"},
		{name: "events", change: with("events", map[string]any{}), reason: "events"},
		{name: "alg none", sin: provider.SigNone, reason: "not a JWT"},
		{name: "HMAC with the secret", sin: provider.HMACWithSecret, reason: "not a JWT"},
		{name: "bad signature", sin: provider.InvalidSigRS256, reason: "signature"},
		{name: "key in the header", sin: provider.KeyInHeader, reason: "signature"},
		{name: "unknown key", sin: provider.KidUnknown, reason: "publish"},
	} {
		r.idp.Commit(row.sin)
		claims, audience, err := r.client.AccessToken(ctx, r.idp.LogoutToken(clientID, "p-1", "", row.typ, asAccess(row.change)), []string{"coatcheck"})
		if row.good != (err == nil) || err != nil && !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%s: %v", row.name, err)
		}
		if err != nil && !strings.Contains(err.Error(), row.reason) {
			t.Errorf("%s: %v, want a word of %q", row.name, err, row.reason)
		}
		if err != nil {
			mustBeClean(t, err.Error())
		}
		if err == nil && (!strings.Contains(string(claims), `"azp":"erp"`) || audience[0] != "coatcheck") {
			t.Errorf("%s: %s %v", row.name, claims, audience)
		}
	}
	for _, text := range []string{"", "x", "a.b.c", strings.Repeat("x", 70<<10)} {
		if _, _, err := r.client.AccessToken(ctx, text, []string{"coatcheck"}); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

// TestStrangersTokensFetchNothing: what cannot be right whatever its signature is causes
// no request, and unknown keys cause one in a while.
func TestStrangersTokensFetchNothing(t *testing.T) {
	r := newRig(t, nil)
	ctx := context.Background()
	r.idp.Commit(provider.KidUnknown)
	stranger := r.idp.LogoutToken(clientID, "p-1", "", "at+jwt", asAccess(nil))
	far := r.idp.LogoutToken(clientID, "p-1", "", "at+jwt", asAccess(func(c map[string]any) { c["iss"] = "https://evil.example" }))
	count := func() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.seen) }
	before := count()
	for range 20 {
		_, _, _ = r.client.AccessToken(ctx, far, []string{"coatcheck"})
		_, _, _ = r.client.AccessToken(ctx, "x.y.z", []string{"coatcheck"})
	}
	if n := count() - before; n != 0 {
		t.Errorf("%d requests", n)
	}
	for range 20 {
		_, _, _ = r.client.AccessToken(ctx, stranger, []string{"coatcheck"})
	}
	if n := count() - before; n > 3 { // metadata, keys, keys once more
		t.Errorf("%d requests for unknown keys", n)
	}
	before = count()
	r.clock.advance(31 * time.Second)
	for range 20 {
		_, _, _ = r.client.AccessToken(ctx, stranger, []string{"coatcheck"})
	}
	if n := count() - before; n != 1 {
		t.Errorf("%d requests half a minute later, want 1", n)
	}
}

// FuzzAccessToken: of claims that are really signed only those of the issuer, for the
// audience and not over are taken; of texts that are no tokens none.
func FuzzAccessToken(f *testing.F) {
	o := newOracle(f)
	good := `{"iss":"{issuer}","aud":"coatcheck","exp":{later},"iat":{now}}`
	for _, seed := range []string{good, strings.Replace(good, `"coatcheck"`, `["x","coatcheck"]`, 1), strings.Replace(good, "{later}", "1", 1), strings.Replace(good, "{later}", "1e400", 1),
		strings.Replace(good, `"aud"`, `"aud":"x","aud"`, 1), strings.Replace(good, `"iat"`, `"cnf":{},"iat"`, 1), `{}`, `null`, `[]`, `a.b.c`, "..", good[:30]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := o.client.AccessToken(context.Background(), text, []string{"coatcheck"}); !errors.Is(err, oidc.ErrFailed) {
			t.Errorf("%q as a token: %v", text, err)
		}
		claims, audience, err := o.client.AccessToken(context.Background(), o.sign(o.fill(text)), []string{"coatcheck"})
		if err != nil {
			mustBeClean(t, err.Error())
			return
		}
		var said struct {
			Issuer  string          `json:"iss"`
			Expires float64         `json:"exp"`
			Bound   json.RawMessage `json:"cnf"`
		}
		if json.Unmarshal(claims, &said) != nil || said.Issuer != o.server.URL || !slices.Contains(audience, "coatcheck") || said.Expires < float64(time.Now().Add(-2*time.Minute).Unix()) || said.Bound != nil {
			t.Errorf("taken: %s", claims)
		}
	})
}
