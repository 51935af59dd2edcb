package main

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckPrintsWhatToRegister: the addresses that an operator copies to the provider.
func TestCheckPrintsWhatToRegister(t *testing.T) {
	env := map[string]string{"REDIS_URL": "redis://127.0.0.1:6379/0", "COATCHECK_KEY": base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv")),
		"OIDC_CLIENT_ID": "shop-client", "OIDC_CLIENT_SECRET": "MARKED"}
	code, stdout, stderr := runCommand(env, "check", "-config", filepath.Join("..", "configs", "providers", "keycloak.yaml"))
	if code != exitDone || strings.Contains(stdout+stderr, "MARKED") {
		t.Fatalf("exit %d, %s %s", code, stdout, stderr)
	}
	for _, line := range []string{"register at keycloak, client shop-client:", "https://shop.example.com/bff/callback/keycloak", "https://shop.example.com/",
		"https://shop.example.com/bff/backchannel-logout/keycloak"} {
		if !strings.Contains(stdout, line+"\n") {
			t.Errorf("%q is not in:\n%s", line, stdout)
		}
	}
	env["OIDC_CLIENT_ID"] = "x"
	if _, stdout, _ := runCommand(env, "check", "-config", filepath.Join("..", "configs", "providers", "github.yaml")); strings.Contains(stdout, "back-channel") {
		t.Errorf("GitHub sends no logout tokens:\n%s", stdout)
	}
}
