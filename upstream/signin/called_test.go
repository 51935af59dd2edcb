package signin_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCalled: an API behind one address for many is called by its own name: in Host, and
// in TLS, where its certificate must have it.
func TestCalled(t *testing.T) {
	hosts, names := make(chan string, 8), make(chan string, 8)
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host }))
	api.TLS = &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		names <- h.ServerName
		return nil, nil
	}}
	api.StartTLS()
	defer api.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	own := strings.TrimPrefix(api.URL, "https://")
	for _, row := range []struct{ lines, host, name string }{
		{"", own, ""}, // an address is not asked for by name
		{"\n  host: api.example.net", "api.example.net", ""},
		{"\n  host: api.example.net:8443\n  tls_server_name: example.com", "api.example.net:8443", "example.com"},
		{"\n  tls_server_name: example.com", own, "example.com"},
	} {
		set := newSet(t, parseMapping(t, "api:\n  url: "+api.URL+"\n  ca: "+ca+row.lines+"\n"+`  login:
    request: {path: /auth/login, body: {e: "{email}", p: "{password}"}}
    credential: {access_token: /token}
    user: {from: response, at: /user}
`))
		if _, err := set.Get("api").Probe(context.Background()); err != nil {
			t.Fatalf("%q: %v", row.lines, err)
		}
		if host, name := <-hosts, <-names; host != row.host || name != row.name {
			t.Errorf("%q: Host %q, TLS name %q", row.lines, host, name)
		}
	}
	wrong := newSet(t, parseMapping(t, "api:\n  url: "+api.URL+"\n  ca: "+ca+"\n  tls_server_name: other.example.net\n"+`  login:
    request: {path: /auth/login, body: {e: "{email}", p: "{password}"}}
    credential: {access_token: /token}
    user: {from: response, at: /user}
`))
	if _, err := wrong.Get("api").Probe(context.Background()); err == nil {
		t.Error("a certificate of another name was accepted")
	}
}

// TestCalledIsClosed: a server called by two names is one server, whose sign-in is closed
// under both.
func TestCalledIsClosed(t *testing.T) {
	set := newSet(t, parseMapping(t, `api:
  url: https://10.0.0.5
  host: api.example.net
  login:
    request: {path: /auth/login, body: {e: "{email}", p: "{password}"}}
    credential: {access_token: /token}
    user: {from: response, at: /user}
bare: {url: "https://10.0.0.5"}
named: {url: "https://api.example.net"}
other: {url: "https://10.0.0.6"}
`))
	for name, closed := range map[string]bool{"api": true, "bare": true, "named": true, "other": false} {
		if set.Get(name).Closed([]byte("/auth/login")) != closed {
			t.Errorf("%s: closed %v", name, !closed)
		}
	}
}
