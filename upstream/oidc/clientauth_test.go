package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

// TestPrivateKeyJWT: every kind of key proves who we are; each assertion is used once,
// is for the issuer alone, and no secret goes along.
func TestPrivateKeyJWT(t *testing.T) {
	curve, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	long, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	for name, pair := range map[string][2]any{"ES256": {curve, curve.Public()}, "RS256": {long, long.Public()}, "EdDSA": {edwards, edwards.Public()}} {
		t.Run(name, func(t *testing.T) {
			der, err := x509.MarshalPKCS8PrivateKey(pair[0])
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "key.pem")
			if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
				t.Fatal(err)
			}
			r := newRig(t, func(c *configs.Provider, o *provider.Options) {
				c.ClientSecret, c.ClientKey, c.ClientKeyID, c.PAR = credential.Secret{}, file, "key-1", "required"
				o.Clients[0].Secret = ""
				o.Clients[0].Keys = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: pair[1], KeyID: "key-1"}}}
			})
			result := r.mustSignIn(nil, nil)
			if _, err := r.refresh(result.Credential); err != nil {
				t.Error(err)
			}
			if err := r.client.SignOut(context.Background(), result.Credential, mapping.Caller{}); err != nil {
				t.Error(err)
			}
			seen := map[string]bool{}
			for _, path := range []string{"/par", "/token", "/revoke"} {
				for _, a := range r.requests(path) {
					assertion := a.form.Get("client_assertion")
					if seen[assertion] || assertion == "" || a.form.Has("client_secret") || a.header.Get("Authorization") != "" || a.form.Get("client_id") != clientID {
						t.Errorf("%s: %v", path, a.form)
					}
					seen[assertion] = true
				}
			}
			if len(seen) != 4 {
				t.Errorf("%d assertions", len(seen))
			}
		})
	}
}

// TestUnfitKeys: what cannot sign is refused when the configuration is read.
func TestUnfitKeys(t *testing.T) {
	short, _ := rsa.GenerateKey(rand.Reader, 1024)
	der, _ := x509.MarshalPKCS8PrivateKey(short)
	for what, text := range map[string]string{
		"no PEM": "MARKED", "no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"short": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	} {
		file := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := oidc.New("test", &configs.Provider{Issuer: "https://id.example.net", ProviderClient: configs.ProviderClient{ClientID: "a", ClientKey: file}}, oidc.Options{})
		if err == nil || strings.Contains(err.Error(), "MARKED") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := oidc.New("test", &configs.Provider{Issuer: "https://id.example.net", ProviderClient: configs.ProviderClient{ClientID: "a", ClientKey: "nowhere.pem"}}, oidc.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestAssertionFile: it is read again at every use, because somebody renews it.
func TestAssertionFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "assertion")
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) {
		c.ClientSecret, c.ClientAssertion = credential.Secret{}, configs.LiveFile{Path: file}
	})
	for _, text := range []string{"eyJ.one.x\n", "eyJ.two.x"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.signIn(nil, nil); err == nil { // the provider knows no such assertion; what counts is what it got
			t.Error("accepted")
		}
		calls := r.requests("/token")
		if got := calls[len(calls)-1].form; got.Get("client_assertion") != strings.TrimSpace(text) || got.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			t.Errorf("%v", got)
		}
	}
	before := len(r.requests("/token"))
	for _, bad := range []string{"", "two words", strings.Repeat("x", 20_000)} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.signIn(nil, nil); err == nil {
			t.Error("accepted")
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := r.signIn(nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if n := len(r.requests("/token")) - before; n != 0 {
		t.Errorf("%d codes were sent without an assertion", n)
	}
}

// certificate makes a certificate of our own and writes it and its key.
func certificate(t *testing.T) (cert, key string, sum []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hash := sha256.Sum256(der)
	return cert, key, hash[:]
}

// TestMutualTLS: a client with a certificate shows it at the aliases of the endpoints,
// and nowhere else (RFC 8705 §5).
func TestMutualTLS(t *testing.T) {
	cert, key, sum := certificate(t)
	var r *rig
	aliases := httptest.NewUnstartedServer(nil)
	aliases.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	aliases.StartTLS()
	defer aliases.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: aliases.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := 0 // at the userinfo endpoint: tokens may be bound to the certificate (RFC 8705 §3)
	aliases.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/userinfo" && len(q.TLS.PeerCertificates) == 1 {
			shown++
		}
		r.idp.ServeHTTP(w, q)
	})
	r = newRig(t, func(c *configs.Provider, o *provider.Options) {
		c.ClientSecret, c.ClientCert, c.ClientKey, c.CA, c.PAR = credential.Secret{}, cert, key, ca, "required"
		c.Userinfo = true
		o.MTLS, o.Clients[0].Secret, o.Clients[0].Certificate = aliases.URL, "", sum
	})
	result := r.mustSignIn(nil, nil)
	if _, err := r.refresh(result.Credential); err != nil {
		t.Error(err)
	}
	if shown != 1 {
		t.Errorf("the certificate was shown at userinfo %d times", shown)
	}
	for _, a := range r.requests("/token") {
		if a.form.Get("client_id") != clientID || a.form.Has("client_assertion") || a.header.Get("Authorization") != "" {
			t.Errorf("%v %v", a.form, a.header)
		}
	}
}
