package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckNamesEveryAbsentFile: one that is missing hides no other.
func TestCheckNamesEveryAbsentFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "coatcheck.yaml")
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	text := `
listen: ":8443"
tls: {cert: a.pem, key: b.pem}
sessions: {store: "redis://localhost", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: https://api.example.net
    ca: c.pem
    client_cert: d.pem
    client_key: e.pem
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /token}, user: {at: /user}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email]}
    spa: {dir: f}
  desk:
    origins: ["https://desk.example.com"]
    login: {upstream: api, fields: [email]}
    spa: {dir: plain}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, said := runCommand(nil, "check", "-config", file)
	for _, want := range []string{"tls.cert there is no", "tls.key there is no", "api.ca there is no", "api.client_cert there is no",
		"api.client_key there is no", "shop.spa.dir there is no", "desk.spa.dir open"} {
		if !strings.Contains(strings.Join(strings.Fields(said), " "), want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if code != exitRefused { // a folder that is a file cannot be served anywhere
		t.Errorf("exit %d", code)
	}
}
