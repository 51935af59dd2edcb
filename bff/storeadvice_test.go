package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// TestStoreAdvice: what a Redis answers comes with the likely cure.
func TestStoreAdvice(t *testing.T) {
	port := freeport.Text(t)
	redis := rig.Start(t, nil, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--requirepass", "pw")
	rig.Until(t, "Redis", func() bool { return strings.Contains(redis.Printed.String(), "Ready to accept connections") })
	folder := t.TempDir()
	for url, cure := range map[string]string{
		"unix://" + folder + "/%s":    "no socket there: is Redis running, with unixsocket set to this path?",
		"redis://127.0.0.1:%s":        "password required: redis://:PASSWORD@HOST",
		"redis://:wrong@127.0.0.1:%s": "wrong user name or password",
		"rediss://127.0.0.1:%s":       "TLS handshake: redis:// instead of rediss://?",
	} {
		file := filepath.Join(t.TempDir(), "coatcheck.yaml")
		text := "sessions: {store: \"" + fmt.Sprintf(url, port) + `", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams: {api: {url: "http://127.0.0.1:1", login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /t}, user: {at: /user}}}}
frontends: {shop: {origins: ["http://localhost:8080"], login: {upstream: api, fields: [email]}}}
`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		// Again where a busy machine let the handshake run out of time.
		rig.Until(t, url+": "+cure, func() bool {
			code, said, _ := runCommand(nil, "check", "--online", "--config", file)
			return code == exitRefused && strings.Contains(said, cure)
		})
	}
}
