//go:build linux

package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programsConfig lets the same program in by a key, and by two kinds of signature. Its
// events are not remembered, so that one request can be sent again and again.
const programsConfig = `listen: %q
admin: {listen: %q}
sessions: {store: "redis://%s/0", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api: {url: "http://%s", accounts: {robot: {credential: {access_token: %s}}}}
callers:
  key: {keys: ["sha256:%s"], account: robot}
  hmac: {signature: {over: "{body}", by: hmac-sha256, keys: [%s], proof: {header: X-Signature}}, account: robot}
  ed25519: {signature: {over: "{body}", by: ed25519, key: {encoding: hex}, keys: [%s], proof: {header: X-Signature}}, account: robot}
frontends:
  bench:
    host: localhost
    routes:
      - {path: /api/, upstream: api, session: none, callers: [key]}
      - {path: /hmac/, rewrite: /api/, upstream: api, session: none, methods: [POST], callers: [hmac]}
      - {path: /ed25519/, rewrite: /api/, upstream: api, session: none, methods: [POST], callers: [ed25519]}
`

// benchSecret signs events; it is no secret.
const benchSecret = "bench-secret-bench-secret-bench-secret"

// programs starts the program under test with one of its callers as the load: a key on
// the same call as a session's, or a signed body of 2 KiB.
func (b *bench) programs(name, address string) (row, error) {
	admin, err := free()
	if err != nil {
		return row{}, err
	}
	made, err := exec.Command(b.program, "apikey", "new", "-caller", "key", "-offline").Output()
	if err != nil {
		return row{}, fmt.Errorf("apikey: %w", err)
	}
	key := strings.TrimSpace(string(made))
	hash := sha256.Sum256([]byte(key))
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return row{}, err
	}
	file := filepath.Join(b.dir, name+".yaml")
	text := fmt.Appendf(nil, programsConfig, address, admin, b.redis, b.api, token, hex.EncodeToString(hash[:]), benchSecret, hex.EncodeToString(public))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return row{}, err
	}
	p, err := b.start(name, "1", b.program, "serve", "-config", file)
	if err != nil {
		return row{}, err
	}
	if err := p.listening(address); err != nil {
		return row{}, err
	}
	r := row{process: p, address: address, path: "/api/items", header: "Authorization: Bearer " + key}
	if name == "key" {
		return r, nil
	}
	event := strings.Repeat("0123456789abcdef", 128)
	proof := ed25519.Sign(private, []byte(event))
	if name == "hmac" {
		mac := hmac.New(sha256.New, []byte(benchSecret))
		mac.Write([]byte(event))
		proof = mac.Sum(nil)
	}
	r.path, r.header = "/"+name+"/items", "X-Signature: "+hex.EncodeToString(proof)
	r.script = filepath.Join(b.dir, name+".lua")
	return r, os.WriteFile(r.script, fmt.Appendf(nil, "wrk.method = \"POST\"\nwrk.body = %q\nwrk.headers[\"Content-Type\"] = \"text/plain\"\n", event), 0o600)
}
