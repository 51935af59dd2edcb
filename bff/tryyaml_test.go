package main

import (
	"strings"
	"testing"

	"coatcheck/configs"
)

// TestTryYAML: what `try` would write is YAML that check takes, where it says that it belongs.
func TestTryYAML(t *testing.T) {
	for _, who := range []string{"odd", "strange", "half"} {
		_, stdout, _ := try(t, who+"\n"+tryPassword+"\n\n")
		_, rest, found := strings.Cut(stdout, "? worth trying, in upstreams.api.login:\n")
		written, _, _ := strings.Cut(rest, "\n\n")
		if !found || written == "" {
			t.Fatalf("%s: nothing is written\n%s", who, stdout)
		}
		whole := "sessions: {store: \"memory://\", keys: [\"0123456789abcdef0123456789abcdef-test\"]}\n" +
			"frontends: {shop: {origins: [\"https://shop.example.com\"], login: {upstream: api, fields: [email, password]}}}\n" +
			"upstreams:\n  api:\n    url: https://api.example.net\n    login:\n      request: {path: /login, body: {e: \"{email}\", p: \"{password}\"}}\n" +
			written + "\n"
		if !strings.Contains(written, "access_token") {
			whole += "      credential: {access_token: /t}\n"
		}
		if c, faults := configs.Parse("try.yaml", []byte(whole), func(string) (string, bool) { return "", false }, nil); c == nil {
			t.Errorf("%s: %v\n%s", who, faults, whole)
		}
	}
}
