package dpop_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/credential"
	"coatcheck/upstream/oidc/dpop"
)

// proof reads a proof with the key in its own header, as a server does.
func proof(t *testing.T, text string) (header jose.Header, claims map[string]any) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	header = jws.Signatures[0].Protected
	payload, err := jws.Verify(header.JSONWebKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return header, claims
}

// TestProof: what RFC 9449 §4.2 wants in it, and nothing of the private key.
func TestProof(t *testing.T) {
	key, err := dpop.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	text, err := key.Proof(dpop.Request{Method: "POST", URL: "https://api.example.net/a/b%2Fc?query=1#top", AccessToken: credential.NewSecret("token"), Nonce: "n", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	header, claims := proof(t, text)
	sum := sha256.Sum256([]byte("token"))
	want := map[string]any{"htm": "POST", "htu": "https://api.example.net/a/b%2Fc", "nonce": "n", "iat": float64(now.Unix()), "ath": base64.RawURLEncoding.EncodeToString(sum[:]), "jti": claims["jti"]}
	if fmt.Sprint(claims) != fmt.Sprint(want) || header.ExtraHeaders["typ"] != "dpop+jwt" || !header.JSONWebKey.IsPublic() {
		t.Errorf("%v %v", claims, header)
	}
	again, err := dpop.ParseKey(key.Secret())
	if err != nil {
		t.Fatal(err)
	}
	second, _ := again.Proof(dpop.Request{Method: "GET", URL: "https://api.example.net/", Now: now})
	other, otherClaims := proof(t, second)
	if otherClaims["jti"] == claims["jti"] || otherClaims["ath"] != nil || otherClaims["nonce"] != nil || fmt.Sprint(other.JSONWebKey.Key) != fmt.Sprint(header.JSONWebKey.Key) {
		t.Errorf("%v", otherClaims)
	}
	if text := fmt.Sprintf("%v %+v %#v", key, key, key.Secret()); strings.Contains(text, key.Secret().Reveal()) {
		t.Error("the key prints")
	}
	for _, bad := range []string{"", "x", "AAAA"} {
		if _, err := dpop.ParseKey(credential.NewSecret(bad)); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}

func BenchmarkProof(b *testing.B) {
	key, err := dpop.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	token, now := credential.NewSecret(strings.Repeat("t", 800)), time.Now()
	for b.Loop() {
		if _, err := key.Proof(dpop.Request{Method: "GET", URL: "https://api.example.net/orders?page=1", AccessToken: token, Nonce: "nonce", Now: now}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestKeysAreKept: one key for as long as somebody holds the credential, and not longer.
func TestKeysAreKept(t *testing.T) {
	var keys dpop.Keys
	plain := credential.New(map[string]credential.Secret{credential.AccessToken: credential.NewSecret("t")}, time.Time{}, time.Time{})
	if key, err := keys.Of(plain); key != nil || err != nil {
		t.Errorf("%v %v", key, err)
	}
	faulty := credential.New(map[string]credential.Secret{credential.BoundKey: credential.NewSecret("x")}, time.Time{}, time.Time{})
	if key, err := keys.Of(faulty); key != nil || err == nil {
		t.Errorf("%v %v", key, err)
	}
	made, err := dpop.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c := credential.New(map[string]credential.Secret{credential.BoundKey: made.Secret()}, time.Time{}, time.Time{})
	first, err := keys.Of(c)
	second, _ := keys.Of(c)
	if err != nil || first == nil || first != second || keys.Len() != 1 {
		t.Fatalf("%v %v %v", first, second, err)
	}
	runtime.KeepAlive(c)
	for deadline := time.Now().Add(time.Minute); keys.Len() > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the key outlives its credential")
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}
