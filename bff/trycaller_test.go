package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/bff/apikey"
	"coatcheck/bff/rig"
)

const tryPrograms = `listen: 127.0.0.1:${PORT}
admin: {listen: "127.0.0.1:${ADMIN}"}
upstreams:
  api:
    url: "${API}"
    accounts:
      robot: {login: {request: {path: /token, encoding: form, basic: [id, client-MARKED], body: {grant_type: client_credentials}}, credential: {access_token: /access_token, expires_in: /expires_in}}}
      shut: {login: {request: {path: /shut, body: {password: client-MARKED}}, credential: {access_token: /access_token}}}
      fixed: {credential: {access_token: fixed-MARKED}}
callers:
  excel: {keys: ["sha256:${HASH}"], account: fixed, methods: [GET]}
  hook: {signature: {take: {id: {header: X-Id}, at: {header: X-At}}, over: "{id}.{at}.{body}", by: hmac-sha256, keys: [hook-MARKED-secret-of-a-provider], proof: {header: X-Signature}, fresh: {at: 5m}, once: "{id}"}, account: robot}
  closed: {signature: {over: "{body}", by: hmac-sha256, keys: [hook-MARKED-secret-of-a-provider], proof: {header: X-Signature}, once: "{body.sha256.hex}"}, account: shut}
  public: {signature: {over: "{body}", by: ed25519, key: {encoding: hex}, keys: [d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a], proof: {header: X-Signature}, once: "{body.sha256.hex}"}}
  nowhere: {keys: []}
frontends:
  door:
    host: programs.example.com
    routes:
      - {path: /v1/, upstream: api, session: none, methods: [GET], callers: [excel]}
      - {path: /hooks/, upstream: api, session: none, methods: [POST], callers: [hook, public]}
      - {path: /closed/, upstream: api, session: none, methods: [POST], callers: [closed]}
`

// TestTryPrograms: a sample of a caller is signed by its own lines, sent, and let in; an
// account signs in; nothing that is printed opens anything.
func TestTryPrograms(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/token":
			_, _ = io.WriteString(w, `{"access_token":"account-MARKED","expires_in":361800}`)
		case "/shut":
			w.WriteHeader(403)
		default:
			if a := r.Header.Get("Authorization"); a != "Bearer account-MARKED" && a != "Bearer fixed-MARKED" {
				w.WriteHeader(500)
			}
		}
	}))
	defer api.Close()
	key := apikey.New()
	hash := hex.EncodeToString(key.Hash[:])
	served := rig.Serve(t, tryPrograms, "API="+api.URL, "HASH="+hash)
	file := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(file, []byte(tryPrograms), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(served.Address, ":")
	values := map[string]string{"API": api.URL, "HASH": hash, "PORT": port, "ADMIN": "1"}
	for _, row := range []struct {
		args  string
		stdin string
		code  int
		words []string
	}{
		{"-caller hook", "", 0, []string{"POST /hooks/coatcheck-try", "[proof, 64 characters]", "< 200 OK", "the API took it"}},
		{"-caller hook -to http://127.0.0.1:" + port, "", 0, []string{"< 200 OK"}},
		{"-caller excel", key.Secret.Reveal() + "\n", 0, []string{"GET /v1/coatcheck-try", "key in Authorization: Bearer", "< 200 OK"}},
		{"-caller excel", "cchk_wrong\n", 1, []string{"< 401", "Coatcheck-Error: caller_unknown", "its log says why"}},
		{"-caller closed", "", 1, []string{"< 503", "account_unavailable", "Retry-After"}},
		{"-caller public", "", 1, []string{"only its provider can sign"}},
		{"-caller nowhere", "", 2, []string{"no route lets caller"}},
		{"-caller other", "", 2, []string{`no caller "other"`}},
		{"-caller hook -to ftp://x", "", 2, []string{"--to is a scheme and a host"}},
		{"-caller hook -to http://127.0.0.1:1", "", 1, []string{"no answer from 127.0.0.1:1"}},
		{"-upstream api -account robot -refresh", "", 0, []string{"sign-in of account api/robot", "> POST", "/token", "the account is let in", "expires in: 100h", "== renewal", "Renewed."}},
		{"-upstream api -account shut", "", 1, []string{"503 account_unavailable", "403"}},
		{"-upstream api -account fixed", "", 2, []string{"the file names"}},
		{"-upstream api -account none", "", 2, []string{"no upstream"}},
	} {
		var said bytes.Buffer
		got := run(context.Background(), append([]string{"coatcheck", "try", "-config", file}, strings.Fields(row.args)...),
			func(name string) (string, bool) { v, ok := values[name]; return v, ok }, strings.NewReader(row.stdin), &said, &said)
		out := said.String()
		if got != row.code {
			t.Errorf("%s: exit code %d, want %d\n%s", row.args, got, row.code, out)
		}
		for _, word := range row.words {
			if !strings.Contains(strings.ToLower(out), strings.ToLower(word)) {
				t.Errorf("%s: nothing of %q\n%s", row.args, word, out)
			}
		}
		if strings.Contains(out, "-MARKED") || strings.Contains(out, key.Secret.Reveal()) {
			t.Errorf("%s shows a secret:\n%s", row.args, out)
		}
	}
}
