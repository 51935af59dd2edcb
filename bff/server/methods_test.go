package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestUnusualMethods: a method beyond the usual ones passes on the route that names it,
// guarded as one that changes something, and is known nowhere where no route does.
func TestUnusualMethods(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "      - {path: /plain/,", "      - {path: /dav/, upstream: api, methods: [GET, PROPFIND, QUERY, VERSION-CONTROL]}\n      - {path: /plain/,")
	}})
	cookie := h.signIn("ada@x.test")
	for _, method := range []string{"PROPFIND", "QUERY", "VERSION-CONTROL"} {
		h.want(h.call(method+" /dav/x", cookie, sameOrign), 403, "csrf_header_missing")
		got := h.call(method+" /dav/x\n\n<propfind/>", cookie, shop, xcsrf, "Depth: 1")
		if in := h.api.Last(t); got.StatusCode != 200 || got.body == "" || in.Method != method || in.Body != "<propfind/>" || in.Header.Get("Depth") != "1" {
			t.Errorf("%s: %d, the API saw %s %q", method, got.StatusCode, in.Method, in.Body)
		}
		if got := h.call(method+" /api/x", cookie, shop, xcsrf); got.StatusCode != 405 || strings.Contains(got.Header.Get("Allow"), method) {
			t.Errorf("%s on another route: %d Allow: %s", method, got.StatusCode, got.Header.Get("Allow"))
		}
	}
	for path, allow := range map[string]string{
		"/dav/x": "GET, PROPFIND, QUERY, VERSION-CONTROL", "/api/x": "GET, HEAD, POST, PUT, PATCH, DELETE", "/bff/session": "GET, HEAD, POST",
	} {
		for _, method := range []string{"PROPPATCH", "REPORT", "LINK"} { // which no route names
			if got := h.call(method+" "+path, cookie, shop, xcsrf); got.StatusCode != 405 || got.Header.Get("Allow") != allow {
				t.Errorf("%s %s: %d Allow: %s, want %s", method, path, got.StatusCode, got.Header.Get("Allow"), allow)
			}
		}
	}
	for _, method := range []string{"CONNECT", "TRACE", "PROPFINDX", "propfind"} {
		if got := h.call(method+" /dav/x", cookie, shop, xcsrf); got.StatusCode != 405 {
			t.Errorf("%s: %d", method, got.StatusCode)
		}
	}
	if got := h.call("OPTIONS /dav/x", shop, "Access-Control-Request-Method: PROPFIND"); got.Header.Get("Access-Control-Allow-Methods") != "GET, PROPFIND, QUERY, VERSION-CONTROL" {
		t.Errorf("preflight: %v", got.Header)
	}
}

// TestEncodedBackslash: %5C passes where the route says so, and is a separator to what
// is closed.
func TestEncodedBackslash(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "      - {path: /plain/,", "      - {path: /win/, upstream: api, rewrite: /, encoded_slash: pass}\n      - {path: /plain/,")
	}})
	cookie := h.signIn("ada@x.test")
	if got := h.call("GET /win/users/CORP%5Cjdoe", cookie, sameOrign); got.StatusCode != 200 || h.api.Last(t).URI != "/users/CORP%5Cjdoe" {
		t.Errorf("%d, the API saw %s", got.StatusCode, h.api.Last(t).URI)
	}
	for path, row := range map[string]struct {
		status int
		code   string
	}{
		"/api/users/CORP%5Cjdoe": {400, "bad_path"}, `/win/users/CORP\jdoe`: {400, "bad_path"}, "/win/x%5C..%5Cy": {400, "bad_path"}, "/win/..%5Cy": {400, "bad_path"},
		"/win/auth%5Clogin": {404, "not_found"}, "/win/internal%5cx": {404, "not_found"},
	} {
		h.want(h.call("GET "+path, cookie, sameOrign), row.status, row.code)
	}
}

// TestCalledByAnotherName: host is what the API is told it is called by, at sign-in and
// on calls, and what its own addresses may begin with.
func TestCalledByAnotherName(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "    url: \"${API}\"\n", "    url: \"${API}\"\n    host: api.example.net\n")
	}})
	cookie := h.signIn("ada@x.test")
	if in := h.api.Last(t); in.URI != "/auth/login" || in.Host != "api.example.net" {
		t.Errorf("sign-in: %s at %s", in.URI, in.Host)
	}
	for _, own := range []string{"http://api.example.net", "https://api.example.net", h.api.URL, "//api.example.net"} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", own+"/v2/y") })
		got := h.call("GET /v/x", cookie, sameOrign)
		if in := h.api.Last(t); in.Host != "api.example.net" || got.Header.Get("Location") != "/v/y" {
			t.Errorf("%s: Host %s, Location %s", own, in.Host, got.Header.Get("Location"))
		}
	}
}
