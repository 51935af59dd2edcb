package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// ordinaryActs is the usual house with routes for what browsers do besides fetch.
func ordinaryActs() settings {
	return settings{edit: func(s string) string {
		return replaced(s, "      - {path: /plain/, upstream: api, isolate: false}", `      - {path: /plain/, upstream: api, isolate: false}
      - {path: /vitals/, upstream: api, methods: [GET, POST], csrf_header: off}
      - {path: /files/, upstream: api, methods: [GET, HEAD, POST], navigation: allow}`)
	}}
}

// browser's headers: how it says what it is doing.
var (
	beacon  = []string{shop, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty", json_}
	form    = []string{shop, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Content-Type: application/x-www-form-urlencoded"}
	fromFar = []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
)

// TestBeaconAndForm: what cannot send a header passes where the route says so, and where
// the browser itself says that the frontend's own page did it.
func TestBeaconAndForm(t *testing.T) {
	h := open(t, ordinaryActs())
	cookie := h.signIn("ada@x.test")
	with := func(headers []string, more ...string) []string {
		return append(append([]string(nil), headers...), more...)
	}
	for _, row := range []struct {
		name, request string
		headers       []string
		status        int
		code          string
	}{
		{"beacon", "POST /vitals/x\n\n{}", with(beacon, cookie), 200, ""},
		{"form", "POST /vitals/x\n\na=b", with(form, cookie), 200, ""},
		{"beacon elsewhere", "POST /api/x\n\n{}", with(beacon, cookie), 403, "csrf_header_missing"},
		{"form elsewhere", "POST /api/x\n\na=b", with(form, cookie), 403, "csrf_header_missing"},
		{"a sibling's beacon", "POST /vitals/x\n\n{}", []string{cookie, "Origin: https://evil.example.com", "Sec-Fetch-Site: same-site"}, 403, "origin_not_allowed"},
		{"a stranger's form", "POST /vitals/x\n\n{}", []string{cookie, "Origin: null", "Sec-Fetch-Site: cross-site"}, 403, "origin_not_allowed"},
		{"a program", "POST /vitals/x\n\n{}", []string{cookie}, 403, "csrf_header_missing"},
		{"a program that says so", "POST /vitals/x\n\n{}", []string{cookie, xcsrf}, 200, ""},
	} {
		if got := h.call(row.request, row.headers...); got.StatusCode != row.status || got.code() != row.code {
			t.Errorf("%s: %d %s, want %d %s", row.name, got.StatusCode, got.code(), row.status, row.code)
		}
	}
}

// TestNavigationAllow: links and downloads from other sites, by GET and in a tab only;
// the answer is isolated as ever.
func TestNavigationAllow(t *testing.T) {
	h := open(t, ordinaryActs())
	cookie := h.signIn("ada@x.test")
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") })
	got := h.call("GET /files/report", append(fromFar, cookie)...)
	h.want(got, 200, "")
	if !strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("not isolated: %v", got.Header)
	}
	h.want(h.call("GET /files/report", cookie, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"), 200, "")
	const site = "Sec-Fetch-Site: cross-site"
	for name, headers := range map[string][]string{
		"a frame":          {site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"},
		"an embed":         {site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: embed"},
		"an image":         {site, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"},
		"a fetch":          {site, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty"},
		"no destination":   {site, "Sec-Fetch-Mode: navigate"},
		"mode twice":       {site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"},
		"a script":         {site, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"},
		"site twice":       {site, site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"},
		"the other routes": nil,
	} {
		path, code := "GET /files/report", "cross_site_request"
		if headers == nil {
			path, headers = "GET /api/report", fromFar
		}
		if got := h.call(path, append(headers, cookie)...); got.StatusCode != 403 || got.code() != code {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.code())
		}
	}
	for _, method := range []string{"POST", "HEAD"} {
		if got := h.call(method+" /files/report", append(fromFar, cookie, xcsrf)...); got.StatusCode != 403 || got.code() != "cross_site_request" {
			t.Errorf("%s: %d %s", method, got.StatusCode, got.code())
		}
	}
}

// TestRefusedNavigation: a person sees a page, a program a problem document; status and
// code are the same, and nothing of the request stands in the page.
func TestRefusedNavigation(t *testing.T) {
	h := open(t, ordinaryActs())
	for _, row := range []struct {
		request string
		headers []string
		status  int
		code    string
		again   bool
	}{
		{"GET /api/report?MARK=1", fromFar, 403, "cross_site_request", true},
		{"POST /api/export\n\nMARK=1", form, 403, "csrf_header_missing", false},
		{"GET /api/report", []string{"Accept: text/html,*/*;q=0.8"}, 401, "not_authenticated", false},
		{"GET /MARK", []string{"Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"}, 404, "not_found", false},
		{"GET /a/../MARK", []string{"Accept: text/html"}, 400, "bad_path", false},
		{"GET /gone/MARK", []string{"Accept: text/html"}, 502, "upstream_unreachable", false},
		{"GET /MARK", []string{"Accept: text/html", "Host: MARK.example.com"}, 421, "unknown_host", false},
	} {
		got := h.call(row.request, append(row.headers, "X-Marked: MARK")...)
		if got.StatusCode != row.status || got.code() != row.code {
			t.Errorf("%s: %d %s, want %d %s", row.request, got.StatusCode, got.code(), row.status, row.code)
		}
		policy := got.Header.Get("Content-Security-Policy")
		if got.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", row.request, got.Header)
		}
		if !strings.HasPrefix(got.body, "<!doctype html>") || strings.Contains(got.body, "MARK") || strings.Contains(got.body, "<script") || !strings.Contains(got.body, row.code) {
			t.Errorf("%s: %s", row.request, got.body)
		}
		if strings.Contains(got.body, `href=""`) != row.again {
			t.Errorf("%s: leads on: %v", row.request, !row.again)
		}
		if row.status != 421 && row.status != 400 && !strings.Contains(got.body, `href="https://shop.example.com/"`) {
			t.Errorf("%s: no way to the application: %s", row.request, got.body)
		}
	}
	for name, headers := range map[string][]string{
		"fetch":             {"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Accept: text/html"},
		"a program":         {"Accept: */*", "Sec-Fetch-Site: cross-site"},
		"Accept: json":      {"Accept: application/json", "Sec-Fetch-Site: cross-site"},
		"nothing is wanted": {"Sec-Fetch-Site: cross-site"},
	} {
		if got := h.call("GET /api/report", headers...); got.Header.Get("Content-Type") != "application/problem+json" || got.StatusCode != 403 {
			t.Errorf("%s: %d %v", name, got.StatusCode, got.Header)
		}
	}
	if got := h.call("HEAD /api/report", fromFar...); got.StatusCode != 403 || got.body != "" {
		t.Errorf("HEAD: %d %q", got.StatusCode, got.body)
	}
}

// TestInertTypes: what runs nothing and does not work in a sandbox is not put into one.
func TestInertTypes(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	for kind, isolated := range map[string]bool{
		"application/pdf": false, "application/pdf;charset=UTF-8": false, "Application/PDF ; a=b": false, "audio/wav": false, "video/mp4; codecs=avc1": false,
		"application/pdfx": true, "application/pdf, text/html": true, "application/pdf; a=b, text/html": true, "text/html; x=application/pdf": true, "audio/x+xml": true,
		"video/mp4,text/html": true, "image/svg+xml": true, "text/html": true, "application/json": true, "": true, "audio": true, " ": true,
	} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = []string{kind} })
		got := h.call("GET /api/x", cookie, sameOrign).Header.Get("Content-Security-Policy")
		if strings.HasPrefix(got, "sandbox") != isolated {
			t.Errorf("%q: %q, want isolated: %v", kind, got, isolated)
		}
	}
}
