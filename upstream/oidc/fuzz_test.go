package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/oidc"
)

// FuzzDiscovery: what metadata names is https, or as near as the issuer, and nothing
// that a browser or a client could be led astray by.
func FuzzDiscovery(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://id.example.net","authorization_endpoint":"https://id.example.net/a","token_endpoint":"https://id.example.net/t","jwks_uri":"https://id.example.net/k"}`))
	f.Add([]byte(`{"issuer":"https://id.example.net","authorization_endpoint":"javascript:x","token_endpoint":"//x","jwks_uri":"https://a@b#c","mtls_endpoint_aliases":{"token_endpoint":7}}`))
	f.Add([]byte(`[]`))
	c := &configs.Provider{Issuer: "https://id.example.net"}
	f.Fuzz(func(t *testing.T, body []byte) {
		endpoints, err := oidc.ParseMetadata(body, c)
		if err != nil {
			return
		}
		for name, endpoint := range endpoints {
			if endpoint == "" {
				continue
			}
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(endpoint, "# \t\r\n") {
				t.Errorf("%s: %q", name, endpoint)
			}
		}
	})
}

// FuzzKeys: no more keys than are published, and never an error with keys.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"a"}]}`))
	f.Add([]byte(`{"keyſ":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"a"}],"KEYS":[],"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AQAB","e":"AQAB"},null,7]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var doc map[string]json.RawMessage // not a struct, which would take "KEYS" too
		var published []any
		_ = json.Unmarshal(body, &doc)
		_ = json.Unmarshal(doc["keys"], &published)
		if n, err := oidc.CountKeys(body); (n == 0) != (err != nil) || n > len(published) || n > 100 {
			t.Errorf("%d keys of %d, %v", n, len(published), err)
		}
	})
}

// oracle is a provider that signs whatever a fuzzer wants.
type oracle struct {
	server  *httptest.Server
	signer  jose.Signer
	key     jose.JSONWebKey
	payload atomic.Pointer[[]byte]
	client  *oidc.Provider
}

func newOracle(f *testing.F) *oracle {
	f.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	o := &oracle{key: jose.JSONWebKey{Key: private, KeyID: "k", Use: "sig"}}
	if o.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: o.key}, nil); err != nil {
		f.Fatal(err)
	}
	o.server = httptest.NewServer(o)
	f.Cleanup(o.server.Close)
	o.client, err = oidc.New("test", &configs.Provider{Issuer: o.server.URL, ProviderClient: configs.ProviderClient{ClientID: clientID}, Scopes: []string{"openid"}, ProviderClaims: configs.ProviderClaims{Nonce: "on"}, PAR: "off", DPoP: "off"}, oidc.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(o.client.Close)
	return o
}

func (o *oracle) sign(payload []byte) string {
	jws, err := o.signer.Sign(payload)
	if err != nil {
		return ""
	}
	text, _ := jws.CompactSerialize()
	return text
}

// ServeHTTP implements [http.Handler].
func (o *oracle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := o.server.URL
	var doc any
	switch r.URL.Path {
	case "/token":
		doc = map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": o.sign(*o.payload.Load())}
	case "/keys":
		doc = map[string]any{"keys": []any{o.key.Public()}}
	default:
		doc = map[string]any{"issuer": at, "authorization_endpoint": at + "/a", "token_endpoint": at + "/token", "jwks_uri": at + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}}
	}
	_ = json.NewEncoder(w).Encode(doc)
}

// claims are a good token's, as text for a fuzzer; {issuer} and {now} are filled in.
func (o *oracle) fill(text string) []byte {
	now, _ := json.Marshal(time.Now().Unix())
	later, _ := json.Marshal(time.Now().Add(time.Hour).Unix())
	return []byte(strings.NewReplacer("{issuer}", o.server.URL, "{now}", string(now), "{later}", string(later)).Replace(text))
}

// FuzzIDToken: of claims that are really signed, only those of this person-less rig's
// issuer, client and attempt are taken.
func FuzzIDToken(f *testing.F) {
	o := newOracle(f)
	good := `{"iss":"{issuer}","aud":"shop","sub":"p-1","iat":{now},"exp":{later},"nonce":"` + nonce + `"}`
	for _, seed := range []string{good, strings.Replace(good, `"shop"`, `["shop","x"]`, 1), strings.Replace(good, `"p-1"`, `7`, 1), strings.Replace(good, "{later}", `1e400`, 1),
		strings.Replace(good, `"sub"`, `"_claim_names":{"a":"b"},"sub"`, 1), `{}`, `null`, `[]`, `7`, `{"iss":["{issuer}"]}`, good[:40]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		payload := o.fill(text)
		o.payload.Store(&payload)
		got, err := o.client.Redeem(context.Background(), oidc.Code{Code: credential.NewSecret("c"), Verifier: credential.NewSecret(verifier), Nonce: nonce, RedirectURI: redirectURI})
		if err != nil {
			mustBeClean(t, err.Error())
			return
		}
		var claims struct {
			Issuer string `json:"iss"`
			Nonce  string `json:"nonce"`
			Sub    string `json:"sub"`
		}
		if json.Unmarshal(payload, &claims) != nil || claims.Issuer != o.server.URL || claims.Nonce != nonce || got.Subject == "" || got.Subject != claims.Sub {
			t.Errorf("%s was accepted as %q", payload, got.Subject)
		}
	})
}

// FuzzLogoutToken: of claims that are really signed, only a young logout of somebody at
// this client is taken.
func FuzzLogoutToken(f *testing.F) {
	o := newOracle(f)
	good := `{"iss":"{issuer}","aud":"shop","sub":"p-1","sid":"s","iat":{now},"exp":{later},"jti":"j","events":{"` + logoutEvent + `":{}}}`
	for _, seed := range []string{good, strings.Replace(good, `{}`, `[]`, 1), strings.Replace(good, `"jti":"j"`, `"nonce":1`, 1), `{}`, `null`, strings.Replace(good, "{now}", `-1`, 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := o.client.LogoutToken(context.Background(), o.sign(o.fill(text)))
		if err != nil {
			mustBeClean(t, err.Error())
			return
		}
		if age := time.Since(got.IssuedAt); got.Issuer != o.server.URL || got.ID == "" || got.Subject+got.SessionID == "" || age > 12*time.Minute || age < -2*time.Minute || !got.Until.After(got.IssuedAt) {
			t.Errorf("%s was accepted as %+v", text, got)
		}
	})
}
