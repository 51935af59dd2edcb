package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAddressInUseIsNamed: which address, under which key, and what is wrong with it.
func TestAddressInUseIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for key, listens := range map[string]string{
		"listen":       fmt.Sprintf("listen: %q\nadmin: {listen: \"127.0.0.1:0\"}\n", taken.Addr()),
		"admin.listen": fmt.Sprintf("listen: \"127.0.0.1:0\"\nadmin: {listen: %q}\n", taken.Addr()),
	} {
		file := filepath.Join(t.TempDir(), "coatcheck.yaml")
		text := listens + `
sessions: {store: "memory://", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams: {api: {url: "http://127.0.0.1:1", login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /t}, user: {at: /user}}}}
frontends: {shop: {origins: ["http://localhost:8080"], login: {upstream: api, fields: [email]}}}
`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("cannot listen on %s (%s): already in use by another process", taken.Addr(), key)
		if code, _, said := runCommand(nil, "serve", "-config", file); code != exitRefused || !strings.Contains(said, want) {
			t.Errorf("exit %d: %s\nwant %s", code, said, want)
		}
	}
	port := taken.Addr().(*net.TCPAddr).Port
	want := fmt.Sprintf("port %d is in use: try `coatcheck demo --listen localhost:%d`", port, port+1)
	if code, _, said := runCommand(nil, "demo", "-listen", taken.Addr().String()); code != exitRefused || !strings.Contains(said, want) {
		t.Errorf("exit %d: %s\nwant %s", code, said, want)
	}
}
