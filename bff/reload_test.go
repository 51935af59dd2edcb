package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// certify writes a self-signed certificate for localhost with a serial number.
func certify(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

const tlsConfig = `
listen: 127.0.0.1:${PORT}
tls: {cert: cert.pem, key: key.pem}
admin: {listen: "127.0.0.1:${ADMIN}"}
drain: {delay: 0s, timeout: 5s}
sessions: {store: "memory://", keys: ["${KEY}"]}
upstreams:
  api:
    url: http://127.0.0.1:1
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /token}}
frontends:
  app:
    origins: ["https://localhost:${PORT}"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api}]
`

// TestReload: over TLS, a changed certificate and a changed configuration are taken
// into use; a faulty file and a forbidden change alter nothing.
func TestReload(t *testing.T) {
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, port, admin := t.TempDir(), freeport.Text(t), freeport.Text(t)
	certify(t, dir, 1)
	config := filepath.Join(dir, "coatcheck.yaml")
	write := func(text string) {
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(tlsConfig)
	_, key, _ := runCommand(nil, "keygen")
	p := rig.Start(t, []string{"PORT=" + port, "ADMIN=" + admin, "KEY=" + strings.TrimSpace(key)}, file, "serve", "-config", config)
	rig.Until(t, "readiness", func() bool { return rig.Status("http://127.0.0.1:"+admin+"/readyz") == 200 })
	ask := func(path string) (int, string, int64) {
		web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
		a, err := web.Get("https://localhost:" + port + path)
		if err != nil {
			return 0, "", 0
		}
		defer a.Body.Close()
		return a.StatusCode, a.Header.Get("Coatcheck-Error"), a.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if status, _, serial := ask("/bff/session"); status != 200 || serial != 1 {
		t.Fatalf("over TLS: %d, certificate %d\n%s", status, serial, &p.Log)
	}
	if _, code, _ := ask("/new/x"); code != "not_found" {
		t.Errorf("before: %s", code)
	}

	certify(t, dir, 2)
	write(strings.Replace(tlsConfig, "/api/", "/new/", 1))
	_ = p.Process.Signal(syscall.SIGHUP)
	rig.Until(t, "the new route", func() bool { _, code, _ := ask("/new/x"); return code == "not_authenticated" })
	if _, _, serial := ask("/bff/session"); serial != 2 {
		t.Errorf("certificate %d", serial)
	}

	for what, text := range map[string]string{"surprise": tlsConfig + "surprise: 1\n", "sessions.store cannot change": strings.Replace(tlsConfig, "memory://", "redis://127.0.0.1:1/0", 1)} {
		write(text)
		_ = p.Process.Signal(syscall.SIGHUP)
		rig.Until(t, "word of "+what, func() bool { return strings.Contains(p.Log.String(), what) })
		if _, code, _ := ask("/new/x"); code != "not_authenticated" {
			t.Errorf("%s: the route is %s", what, code)
		}
	}
}
