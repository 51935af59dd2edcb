package explain_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/explain"
	"coatcheck/configs/read"
	"coatcheck/upstream/signin"
)

var explainedKey = apikey.New()

const explainedSecret = "hook-MARKED-secret-of-a-provider"

// explainedConfig has a caller of each kind, and an account of each kind.
var explainedConfig = `sessions: {store: "memory://", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: https://api.example.net
    login: {request: {path: /login, body: {name: "{name}"}}, credential: {access_token: /token}}
    accounts:
      static: {credential: {access_token: account-MARKED}}
      person: {fields: {name: robot-MARKED}}
      client: {login: {request: {path: /token, basic: [id, client-MARKED]}, credential: {access_token: /t}}}
providers:
  id: {issuer: "https://id.example.net", client_id: a, client_secret: b}
callers:
  excel: {keys: ["sha256:` + hex.EncodeToString(explainedKey.Hash[:]) + `"], account: static, methods: [GET]}
  erp: {token: {provider: id, audiences: [coatcheck], admit: [{at: /azp, is: erp}]}, account: client}
  mail: {signature: {take: {id: {header: X-Id}}, over: "{id}.{body}", by: hmac-sha256, keys: [` + explainedSecret + `], proof: {header: X-Signature}, once: "{id}"}, account: person}
frontends:
  door:
    host: programs.example.com
    routes:
      - {path: /v1/, upstream: api, session: none, callers: [excel, erp], methods: [GET, POST]}
      - {path: /hooks/, upstream: api, session: none, callers: [mail], methods: [POST]}
`

// unsigned is a token as a stranger can make it.
func unsigned(claims map[string]any) string {
	part := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(map[string]any{"alg": "ES256", "typ": "at+jwt"}) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
}

func claimsOf(change func(map[string]any)) map[string]any {
	c := map[string]any{"iss": "https://id.example.net", "aud": "coatcheck", "azp": "erp", "exp": time.Now().Add(time.Hour).Unix()}
	if change != nil {
		change(c)
	}
	return c
}

// TestExplainPrograms: explain says who calls, which rule refuses, and what the call goes
// out with, and shows nothing that opens anything.
func TestExplainPrograms(t *testing.T) {
	c, faults := read.Text("coatcheck.yaml", []byte(explainedConfig), func(string) (string, bool) { return "", false }, nil)
	if c == nil {
		t.Fatal(faults)
	}
	ups, err := signin.New(c.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ups.Close()
	mac := hmac.New(sha256.New, []byte(explainedSecret))
	_, _ = mac.Write([]byte(`a.{"x":1}`))
	right := hex.EncodeToString(mac.Sum(nil))
	key := explainedKey.Secret.Reveal()
	for _, row := range []struct {
		name, method, path string
		headers            []string
		body               string
		code               string
		words              []string
	}{
		{"a key", "GET", "/v1/x", []string{"Authorization: Bearer " + key}, "", "", []string{"is excel's", "account   static of api: the token that the file names", "authorization"}},
		{"a key's method", "POST", "/v1/x", []string{"X-Api-Key: " + key}, "", "caller_not_allowed", []string{"not one of its methods"}},
		{"another key", "GET", "/v1/x", []string{"X-Api-Key: " + apikey.New().Secret.Reveal()}, "", "caller_unknown", []string{"keys made at run time are not looked at"}},
		{"two", "GET", "/v1/x", []string{"X-Api-Key: " + key, "Authorization: Bearer " + key}, "", "two_credentials", nil},
		{"from a browser", "GET", "/v1/x", []string{"X-Api-Key: " + key, "Sec-Fetch-Mode: cors"}, "", "key_in_browser", nil},
		{"none", "GET", "/v1/x", nil, "", "caller_unknown", nil},
		{"a token", "GET", "/v1/x", []string{"Authorization: Bearer " + unsigned(claimsOf(nil))}, "", "", []string{"whether id signed it is not looked at", "account   client of api: signed in by its own login", "503 account_unavailable"}},
		{"a token of others", "GET", "/v1/x", []string{"Authorization: Bearer " + unsigned(claimsOf(func(c map[string]any) { c["azp"] = "crm" }))}, "", "caller_unknown", []string{"erp: not_admitted"}},
		{"for others", "GET", "/v1/x", []string{"Authorization: Bearer " + unsigned(claimsOf(func(c map[string]any) { c["aud"] = "x" }))}, "", "caller_unknown", []string{"other audiences"}},
		{"over", "GET", "/v1/x", []string{"Authorization: Bearer " + unsigned(claimsOf(func(c map[string]any) { c["exp"] = 1 }))}, "", "caller_unknown", []string{"expired"}},
		{"a signature", "POST", "/hooks/x", []string{"X-Id: a", "X-Signature: " + right}, `{"x":1}`, "", []string{"mail: rule 0 holds", `{id} 1 bytes, ".", {body} 7 bytes`, "account   person of api: signed in by the login of api"}},
		{"another body", "POST", "/hooks/x", []string{"X-Id: a", "X-Signature: " + right}, "{\"x\":1}\n", "signature_invalid", []string{"proof_wrong", "{body} 8 bytes", "if this were otherwise"}},
		{"no value", "POST", "/hooks/x", []string{"X-Signature: " + right}, "{}", "signature_invalid", []string{"value_missing"}},
	} {
		var body []byte
		if row.body != "" {
			body = []byte(row.body)
		}
		headers := row.headers
		if body != nil {
			headers = append(headers, fmt.Sprintf("Content-Length: %d", len(body)))
		}
		got, err := explain.Explain(c, ups, explain.RawRequest{Method: row.method, URL: "https://programs.example.com" + row.path, Headers: headers, Body: body, Peer: netip.MustParseAddr("192.0.2.1")})
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		text, code := strings.Join(strings.Fields(strings.Join(got.Lines, "\n")), " "), ""
		if got.Problem != nil {
			code = got.Problem.Code
		}
		if code != row.code {
			t.Errorf("%s: %q, want %q:\n%s", row.name, code, row.code, strings.Join(got.Lines, "\n"))
		}
		for _, word := range row.words {
			if !strings.Contains(text, strings.Join(strings.Fields(word), " ")) {
				t.Errorf("%s: nothing of %q:\n%s", row.name, word, strings.Join(got.Lines, "\n"))
			}
		}
		for _, secret := range []string{"MARKED", key, key[5:], "eyJhbGci"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: shows %s:\n%s", row.name, secret, text)
			}
		}
		if row.name == "another body" && strings.Contains(text, hex.EncodeToString(hmacOf("a.{\"x\":1}\n"))) {
			t.Error("shows the right signature")
		}
	}
}

func hmacOf(text string) []byte {
	mac := hmac.New(sha256.New, []byte(explainedSecret))
	_, _ = mac.Write([]byte(text))
	return mac.Sum(nil)
}
