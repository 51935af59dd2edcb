package configs_test

import (
	"slices"
	"strings"
	"testing"

	"coatcheck/configs/read"
)

// TestNavigationAndCSRFHeader: what a route may open, and what it costs.
func TestNavigationAndCSRFHeader(t *testing.T) {
	for _, row := range []struct{ route, cookie, want string }{
		{"navigation: allow", "{same_site: lax}", ""},
		{"navigation: allow, session: none", "{}", ""},
		{"navigation: allow", "{}", "warning: a Strict cookie"},
		{"navigation: allow, isolate: false", "{same_site: lax}", "error: must not become a page"},
		{"navigation: allow, methods: [POST]", "{same_site: lax}", "error: links and downloads are GET"},
		{"navigation: yes", "{}", "error: "},
		{`csrf_header: "off"`, "{}", "warning: a sibling of this site"},
		{"csrf_header: unsafe", "{}", ""},
		{"csrf_header: sometimes", "{}", "error: "},
	} {
		text := strings.NewReplacer("ROUTE", row.route, "COOKIE", row.cookie).Replace(`
sessions: {store: "redis://localhost", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: https://api.example.net
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /t}, user: {at: /user}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    cookie: COOKIE
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api, ROUTE}]
`)
		level, what, _ := strings.Cut(row.want, ": ")
		found := said(text, "frontends.shop.routes[0].navigation", "frontends.shop.routes[0].csrf_header")
		if !strings.HasPrefix(found, level) || !strings.Contains(found, what) || row.want == "" && found != "" {
			t.Errorf("%s, cookie %s: %q, want %q", row.route, row.cookie, found, row.want)
		}
	}
}

// said is the first thing that check says of one of the paths, behind its level.
func said(text string, paths ...string) string {
	_, faults := read.Text("t.yaml", []byte(text), nil, nil)
	for _, f := range faults {
		switch {
		case !slices.Contains(paths, f.Path):
		case f.Warning:
			return "warning: " + f.Message
		default:
			return "error: " + f.Message
		}
	}
	return ""
}
