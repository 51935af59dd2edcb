package command

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/configs/read"
)

const withFiles = `sessions: {store: "memory://", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  one:
    url: https://one.example.net
    client_cert: DIR/good.pem
    client_key: DIR/other.key
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /token}, user: {at: /user}}
  two:
    url: https://two.example.net
    ca: DIR/empty.pem
    client_cert: DIR/old.pem
    client_key: DIR/good.key
providers:
  short:
    issuer: https://short.example.net
    client_id: a
    client_key: DIR/short.key
  odd:
    issuer: https://odd.example.net
    client_id: a
    client_key: DIR/odd.key
  third:
    issuer: https://third.example.net
    client_id: a
    ca: DIR/empty.pem
    client_cert: DIR/good.pem
    client_key: DIR/empty.pem
frontends:
  shop: {origins: ["https://shop.example.com"], login: {upstream: one, fields: [email]}}
`

// TestFilesThatCannotBeUsed: each is told at the key that names it, all at once, with what
// it must hold.
func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := func(name string, k crypto.Signer) crypto.Signer {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		write(name, "PRIVATE KEY", der)
		return k
	}
	curve := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	certificate := func(name string, k crypto.Signer, ends time.Time) {
		form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.Add(-48 * time.Hour), NotAfter: ends}
		der, err := x509.CreateCertificate(rand.Reader, form, form, k.Public(), k)
		if err != nil {
			t.Fatal(err)
		}
		write(name, "CERTIFICATE", der)
	}
	good := key("good.key", curve(elliptic.P256()))
	key("other.key", curve(elliptic.P256()))
	key("odd.key", curve(elliptic.P224()))
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	key("short.key", short)
	certificate("good.pem", good, time.Now().Add(24*time.Hour))
	certificate("old.pem", good, time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC))
	write("empty.pem", "NOTHING", nil)

	file := filepath.Join(dir, "coatcheck.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(withFiles, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	config, faults := read.File(file, func(string) (string, bool) { return "", false })
	if config == nil {
		t.Fatal(faults)
	}
	var said []string
	for _, f := range filesOf(config) {
		line := strings.TrimPrefix(f.String(), file+":")
		if before, rest, of := strings.Cut(line, "tls: "); of { // the library's words
			_, hint, _ := strings.Cut(rest, " (hint")
			line = before + "tls: … (hint" + hint
		}
		said = append(said, line)
	}
	slices.Sort(said)
	want := []string{
		"5:18: upstreams.one.client_cert: tls: … (hint: the certificate that belongs to client_key, both in PEM)",
		"10:9: upstreams.two.ca: no certificate in the file (hint: certificates in PEM)",
		"11:18: warning: upstreams.two.client_cert: the certificate expired on 2020-02-29",
		"17:17: providers.short.client_key: RSA keys have at least 2048 bits (hint: a key in PEM: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519)",
		"21:17: providers.odd.client_key: this kind of key cannot sign assertions (hint: a key in PEM: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519)",
		"25:9: providers.third.ca: no certificate in the file (hint: certificates in PEM)",
		"26:18: providers.third.client_cert: tls: … (hint: the certificate that belongs to client_key, both in PEM)",
	}
	if slices.Sort(want); !slices.Equal(said, want) {
		t.Errorf("said:\n%s", strings.Join(said, "\n"))
	}
}
