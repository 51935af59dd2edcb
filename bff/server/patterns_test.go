package server_test

import (
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// previews are the usual house with previews of branches in both layouts.
var previews = settings{edit: func(yaml string) string {
	return yaml + `  preview:
    origins: ["https://*.preview.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api}]
  branch:
    origins: ["https://*.branch.example.com", "https://main.example.com"]
    host: calls.branch.example.com
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api}, {path: /api/live/, upstream: api, websocket: true}]
  stable:
    origins: ["https://stable.branch.example.com"]
    host: calls.branch.example.com
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api}]
`
}}

// TestOriginsByPattern: each preview is an origin of its own, with a session of its own
// where it calls itself; none may call another, and no answer names more than the one that
// asked.
func TestOriginsByPattern(t *testing.T) {
	h := open(t, previews)
	in := func(host, origin string) answer {
		return h.call("POST /bff/login\n\n"+loginBody("ada@x.test", rig.PasswordMark), "Host: "+host, "Origin: "+origin, xcsrf, json_)
	}
	const a, b = "a.preview.example.com", "b.preview.example.com"
	got := in(a, "https://"+a)
	h.want(got, 200, "")
	cookie := "Cookie: " + cookieOf(t, got)
	h.want(h.call("GET /api/x", "Host: "+a, "Origin: https://"+a, cookie), 200, "")
	h.want(h.call("GET /api/x", "Host: "+a, sameOrign, cookie), 200, "")
	for name, row := range map[string]struct {
		host, origin string
		status       int
		code         string
	}{
		"a sibling":         {a, "https://" + b, 403, "origin_not_allowed"},
		"another port":      {a, "https://" + a + ":8443", 403, "origin_not_allowed"},
		"plain http":        {a, "http://" + a, 403, "origin_not_allowed"},
		"two labels":        {"x.a.preview.example.com", "https://x.a.preview.example.com", 421, "unknown_host"},
		"no label":          {"preview.example.com", "https://preview.example.com", 421, "unknown_host"},
		"an odd label":      {"-a.preview.example.com", "https://-a.preview.example.com", 421, "unknown_host"},
		"the host itself":   {"calls.branch.example.com", "https://calls.branch.example.com", 403, "origin_not_allowed"},
		"another's pattern": {"calls.branch.example.com", "https://" + a, 403, "origin_not_allowed"},
	} {
		if got := in(row.host, row.origin); got.StatusCode != row.status || got.code() != row.code || got.Header["Access-Control-Allow-Origin"] != nil {
			t.Errorf("%s: %d %s, CORS %q", name, got.StatusCode, got.code(), got.Header["Access-Control-Allow-Origin"])
		}
	}
	if strings.Contains(got.Header.Get("Set-Cookie"), "Domain") {
		t.Error("the cookie has a domain")
	}
	h.want(h.call("GET /api/x", "Host: "+b, "Origin: https://"+b), 401, "not_authenticated")
}

// TestSharedHostOfPatterns: previews call one host, whose answers name the one that asked;
// an origin that another frontend lists is that one's.
func TestSharedHostOfPatterns(t *testing.T) {
	h := open(t, previews)
	const host, feature = "Host: calls.branch.example.com", "https://feature-1.branch.example.com"
	got := h.call("POST /bff/login\n\n"+loginBody("ada@x.test", rig.PasswordMark), host, "Origin: "+feature, xcsrf, json_)
	if got.StatusCode != 200 || got.Header.Get("Access-Control-Allow-Origin") != feature || got.Header.Get("Vary") == "" {
		t.Fatalf("%d, CORS %q, Vary %q", got.StatusCode, got.Header["Access-Control-Allow-Origin"], got.Header["Vary"])
	}
	name, _, _ := strings.Cut(cookieOf(t, got), "=")
	preflight := h.call("OPTIONS /api/x", host, "Origin: "+feature, "Access-Control-Request-Method: POST")
	if preflight.StatusCode != 204 || preflight.Header.Get("Access-Control-Allow-Origin") != feature {
		t.Errorf("preflight: %d %q", preflight.StatusCode, preflight.Header["Access-Control-Allow-Origin"])
	}
	for _, origin := range []string{"https://a.b.branch.example.com", "https://branch.example.com", "https://evil.example.com", "https://evilbranch.example.com"} {
		refused := h.call("OPTIONS /api/x", host, "Origin: "+origin, "Access-Control-Request-Method: POST")
		if refused.StatusCode != 403 || refused.Header["Access-Control-Allow-Origin"] != nil {
			t.Errorf("%s: %d %q", origin, refused.StatusCode, refused.Header["Access-Control-Allow-Origin"])
		}
	}
	stable := h.call("POST /bff/login\n\n"+loginBody("ada@x.test", rig.PasswordMark), host, "Origin: https://stable.branch.example.com", xcsrf, json_)
	if other, _, _ := strings.Cut(cookieOf(t, stable), "="); other == name || other != "__Host-Http-stable" {
		t.Errorf("the frontend that lists the origin has the cookie %s, the pattern's %s", other, name)
	}
}
