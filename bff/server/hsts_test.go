package server_test

import (
	"testing"
)

// TestHSTS: every answer of a host with an https frontend says that it is called by https
// only, also where the request was refused before its frontend was known. The host's policy
// is then the longest of its frontends; a host of nobody has none.
func TestHSTS(t *testing.T) {
	h := open(t, settings{edit: func(yaml string) string {
		yaml = replaced(yaml, "    cookie: {same_site: lax, persistent: true}", "    cookie: {same_site: lax, persistent: true}\n    hsts: 10m")
		return yaml + `  none:
    origins: ["https://none.example.com"]
    login: {upstream: api, fields: [email, password]}
    hsts: 0s
    routes: [{path: /api/, upstream: api, session: none}]
  local:
    origins: ["http://local.localhost:8080", "http://local.localhost:8081"]
    login: {upstream: api, fields: [email, password]}
    routes: [{path: /api/, upstream: api, session: none}]
`
	}})
	const year, none, local, both = "max-age=31536000", "Host: none.example.com", "Host: local.localhost", "Host: both.example.com"
	for _, row := range []struct {
		request string
		headers []string
		status  int
		want    string
	}{
		{"GET /open/x", nil, 200, year},
		{"GET /nothing", []string{sameOrign}, 404, year},
		{"GET /api/../x", nil, 400, year},
		{"GET /api/a%2fb", nil, 400, year},
		{"GET //x", nil, 400, year},
		{"OPTIONS *", nil, 400, year},
		{"GET /open/x", []string{"Origin: https://evil.example.net"}, 403, year},
		{"GET /api/x", []string{apiHost}, 400, year}, // desk's 10 minutes, or till's year
		{"GET /api/../x", []string{apiHost, desk}, 400, year},
		{"GET /api/x", []string{apiHost, shop}, 403, year},
		{"GET /api/x", []string{apiHost, desk}, 401, "max-age=600"},
		{"GET /api/x", []string{apiHost, till}, 401, year},
		{"GET /nowhere/x", []string{both, "Origin: https://pages.example.com"}, 400, year},
		{"GET /api/x", []string{none}, 200, ""},
		{"GET /api/../x", []string{none}, 400, ""},
		{"GET /api/x", []string{local}, 200, ""},
		{"GET /api/../x", []string{local}, 400, ""},
		{"GET /api/x", []string{"Host: unknown.example.com"}, 421, ""},
		{"GET /api/../x", []string{"Host: unknown.example.com"}, 400, ""},
	} {
		got := h.call(row.request, row.headers...)
		if got.StatusCode != row.status || got.Header.Get("Strict-Transport-Security") != row.want {
			t.Errorf("%s %q: %d %q, want %d %q", row.request, row.headers, got.StatusCode, got.Header.Get("Strict-Transport-Security"), row.status, row.want)
		}
	}
}

// TestFaultIsReadable: pages may read that there was a fault, also where it was outside of
// every room.
func TestFaultIsReadable(t *testing.T) {
	h := open(t, settings{fault: `"path":"/api/fallen"`})
	got := h.call("GET /api/fallen", apiHost, desk)
	h.want(got, 500, "internal")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "https://desk.example.com", "Access-Control-Allow-Credentials": "true", "Strict-Transport-Security": "max-age=31536000"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
}
