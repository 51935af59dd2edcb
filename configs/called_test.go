package configs_test

import (
	"strings"
	"testing"
)

// TestHostAndServerName: names of an API are hosts, and only https has a certificate.
func TestHostAndServerName(t *testing.T) {
	const base = `
sessions: {store: "redis://localhost", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: URL
    LINE
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /t}, user: {at: /user}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api}]
`
	for _, row := range []struct{ url, line, want string }{
		{"https://10.0.0.5", "host: api.example.net", ""},
		{"https://10.0.0.5", "host: api.example.net:8443", ""},
		{"https://10.0.0.5", "tls_server_name: api.example.net", ""},
		{"https://10.0.0.5", "host: https://api.example.net", "error: "},
		{"https://10.0.0.5", "host: api.example.net/x", "error: "},
		{"https://10.0.0.5", `host: "api.example.net:"`, "error: port must be"},
		{"https://10.0.0.5", `host: "api.example.net:x"`, "error: port must be"},
		{"https://10.0.0.5", "host: API.example.net", "error: "},
		{"https://10.0.0.5", `host: "a\nb"`, "error: "},
		{"https://10.0.0.5", "tls_server_name: api.example.net:443", "error: "},
		{"http://127.0.0.1:9000", "tls_server_name: api.example.net", "error: only used with https"},
	} {
		text := strings.NewReplacer("URL", row.url, "LINE", row.line).Replace(base)
		level, what, _ := strings.Cut(row.want, ": ")
		if found := said(text, "upstreams.api.host", "upstreams.api.tls_server_name"); !strings.HasPrefix(found, level) || !strings.Contains(found, what) || row.want == "" && found != "" {
			t.Errorf("%s, %s: %q, want %q", row.url, row.line, found, row.want)
		}
	}
}
