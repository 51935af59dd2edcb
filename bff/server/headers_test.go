package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// TestRequestTranscript: the whole request as the API sees it.
func TestRequestTranscript(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	h.call("POST /api/x?q=%41&q=&%zz\n\nbody", shop, xcsrf, cookie, "Accept: text/plain", "Accept-Language: de", "Accept-Language: fr", "X-Mixed-Case: Kept",
		"Content-Type: text/plain", "If-None-Match: \"a\"", "Range: bytes=0-1",
		// and everything that must not arrive
		"Authorization: Bearer mine", "authorization: Basic mine", "Cookie: b=c", "X-XSRF-TOKEN: x", "X-Frontend: shop", "Referer: https://shop.example.com/secret", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors",
		"Forwarded: for=6.6.6.6", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: javascript", "X-Forwarded-Prefix: /x", "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE",
		"X-Real-IP: 6.6.6.6", "True-Client-IP: 6.6.6.6", "CF-Connecting-IP: 6.6.6.6", "X-Client-IP: 6.6.6.6", "X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X-Accel-Redirect: /x", "X-Middleware-Subrequest: x", "Via: 1.1 x", "Proxy: http://evil", "Proxy-Authorization: x",
		"HTTP2-Settings: x", "Upgrade: h2c", "TE: trailers", "Keep-Alive: x", "X_Forwarded_For: 6.6.6.6", "X.Real.IP: 6.6.6.6", "X-Request-Id: theirs", "Connection: X-Dropped, Authorization, X-Forwarded-For", "X-Dropped: x", "Coatcheck-X: y", "Trailer: Authorization")
	in := h.api.Last(t)
	if in.Method != "POST" || in.URI != "/api/x?q=%41&q=&%zz" || in.Body != "body" || in.Host != strings.TrimPrefix(h.api.URL, "http://") {
		t.Errorf("request: %+v", in)
	}
	id := in.Header.Get("X-Request-Id")
	want := http.Header{
		"Accept": {"text/plain"}, "Accept-Language": {"de", "fr"}, "X-Mixed-Case": {"Kept"}, "Content-Type": {"text/plain"}, "If-None-Match": {`"a"`}, "Range": {"bytes=0-1"},
		"Authorization": {"Bearer " + rig.TokenMark + "1"}, "Content-Length": {"4"}, "X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"shop.example.com"}, "X-Forwarded-Proto": {"https"}, "X-Request-Id": {id},
	}
	for name, values := range in.Header {
		if !slices.Equal(values, want[name]) {
			t.Errorf("API saw %s: %q, want %q", name, values, want[name])
		}
	}
	for name := range want {
		if in.Header[name] == nil {
			t.Errorf("API did not see %s", name)
		}
	}
	if len(id) != 32 {
		t.Errorf("request id: %q", id)
	}
}

// TestAnswerTranscript: the whole answer as the browser sees it.
func TestAnswerTranscript(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		out := w.Header()
		for _, line := range []string{"Content-Type: text/html", "X-Theirs: a", "X-Theirs: b", "ETag: \"e\"", "Date: Mon, 23 Nov 2026 00:00:00 GMT", "Content-Disposition: inline",
			"Set-Cookie: a=b", "Set-Cookie: __Host-Http-shop=evil", "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true", "WWW-Authenticate: Basic", "Strict-Transport-Security: max-age=0", "Clear-Site-Data: \"cookies\"",
			"Alt-Svc: h3=\":443\"", "Service-Worker-Allowed: /", "Refresh: 0; url=https://evil", "NEL: {}", "Report-To: {}", "Reporting-Endpoints: a=\"b\"", "Speculation-Rules: \"/x\"", "Secure-Session-Registration: x", "Public-Key-Pins: x", "Public-Key-Pins-Report-Only: x",
			"Coatcheck-Error: session_expired", "Coatcheck-Idle-Expires-In: 1", "X-Accel-Redirect: /x", "X-Sendfile: /etc/passwd", "Server: Theirs/1", "X-Powered-By: Theirs", "X_Odd: a", "Connection: X-Hop", "X-Hop: a", "Content-Security-Policy: script-src *",
			"Cross-Origin-Resource-Policy: cross-origin", "X-Content-Type-Options: x", "Proxy-Authenticate: x", "X-Request-Id: theirs"} {
			name, value, _ := strings.Cut(line, ": ")
			out[name] = append(out[name], value)
		}
		_, _ = w.Write([]byte("<script>"))
	})
	got := h.call("GET /api/x", cookie, sameOrign)
	want := http.Header{
		"Content-Type": {"text/html"}, "X-Theirs": {"a", "b"}, "Etag": {`"e"`}, "Date": got.Header["Date"], "Content-Disposition": {"inline"}, "Content-Length": {"8"},
		"X-Content-Type-Options": {"nosniff"}, "Cross-Origin-Resource-Policy": {"same-origin"}, "Content-Security-Policy": {"sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"},
		"Cache-Control": {"private, no-cache"}, "Vary": {"Cookie"}, "Coatcheck-Idle-Expires-In": got.Header["Coatcheck-Idle-Expires-In"], "X-Request-Id": got.Header["X-Request-Id"], "Strict-Transport-Security": {"max-age=31536000"}, "Connection": {"close"},
	}
	for name, values := range got.Header {
		if !slices.Equal(values, want[name]) {
			t.Errorf("browser saw %s: %q, want %q", name, values, want[name])
		}
	}
	for name := range want {
		if got.Header[name] == nil && name != "Connection" {
			t.Errorf("browser did not see %s", name)
		}
	}
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Security-Policy", "theirs")
	})
	if got := h.call("GET /api/x", cookie, sameOrign).Header.Get("Content-Security-Policy"); got != "theirs" {
		t.Errorf("PDF: %q", got)
	}
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/pdf", "text/html"}
	})
	h.want(h.call("GET /api/x", cookie, sameOrign), 502, "upstream_invalid")
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") })
	if got := h.call("GET /plain/x", cookie, sameOrign).Header.Get("Content-Security-Policy"); got != "" {
		t.Errorf("isolate: false: %q", got)
	}
}

// TestCaching: what an API says about caching, and what a browser is told.
func TestCaching(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	rows := []struct{ name, theirs, ours string }{
		{"nothing", "", "private, no-cache"},
		{"empty", "Cache-Control: ", "private, no-cache"},
		{"only commas", "Cache-Control: , ,", "private, no-cache"},
		{"public", "Cache-Control: public, max-age=60", "private, max-age=60"},
		{"only public", "cache-control: Public", "private"},
		{"s-maxage", "Cache-Control: s-maxage=9, max-age=1, proxy-revalidate", "private, max-age=1"},
		{"no-store", "Cache-Control: no-store", "private, no-store"},
		{"quoted", `Cache-Control: no-cache="a, public", x`, `private, no-cache="a, public", x`},
		{"private already", "Cache-Control: private, max-age=5", "private, max-age=5"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(row.theirs, ": "); ok {
					w.Header()[name] = []string{value}
				}
				w.Header()["CDN-Cache-Control"] = []string{"max-age=9"}
				w.Header()["Cloudflare-CDN-Cache-Control"] = []string{"max-age=9"}
				w.Header()["Surrogate-Control"] = []string{"max-age=9"}
				w.Header()["vary"] = []string{"Accept"}
			})
			got := h.call("GET /api/x", cookie, sameOrign)
			if values := got.Header["Cache-Control"]; len(values) != 1 || values[0] != row.ours {
				t.Errorf("Cache-Control: %q, want %q", values, row.ours)
			}
			if got.Header.Get("Vary") != "Accept, Cookie" || got.Header.Get("Surrogate-Control")+got.Header.Get("Cdn-Cache-Control")+got.Header.Get("Cloudflare-Cdn-Cache-Control") != "" {
				t.Errorf("answer: %v", got.Header)
			}
			open := h.call("GET /open/x", sameOrign)
			if _, value, _ := strings.Cut(row.theirs, ": "); open.Header.Get("Cache-Control") != value || open.Header.Get("Vary") != "Accept" || open.Header.Get("Surrogate-Control") == "" {
				t.Errorf("session: none: %v", open.Header)
			}
		})
	}
}

// TestDocumentsAreNotKept: an answer of a session that is opened as a document is stored
// nowhere, whatever the API says; what a page fetches is not shown as one.
func TestDocumentsAreNotKept(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	const page = "Accept: text/html,*/*;q=0.8"
	rows := []struct {
		name, path string
		headers    []string
		kept       bool
		vary       string
	}{
		{"a link", "/api/x", []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, false, "Cookie, Sec-Fetch-Mode"},
		{"a frame", "/api/x", []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, false, "Cookie, Sec-Fetch-Mode"},
		{"a link of an older browser", "/api/x", []string{page}, false, "Cookie"},
		{"fetch", "/api/x", []string{"Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, true, "Cookie, Sec-Fetch-Mode"},
		{"fetch that takes HTML", "/api/x", []string{"Sec-Fetch-Mode: same-origin", page}, true, "Cookie, Sec-Fetch-Mode"},
		{"an image", "/api/x", []string{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, true, "Cookie, Sec-Fetch-Mode"},
		{"a program", "/api/x", []string{"Accept: */*"}, true, "Cookie"},
		{"a link, optional session", "/maybe/x", []string{"Sec-Fetch-Mode: navigate"}, false, "Cookie, Sec-Fetch-Mode"},
	}
	for _, row := range rows {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60") })
		got := h.call("GET "+row.path, append(row.headers, cookie, sameOrign)...)
		want := map[bool]string{true: "private, max-age=60", false: "private, no-store"}[row.kept]
		if got.StatusCode != 200 || got.Header.Get("Cache-Control") != want || got.Header.Get("Vary") != row.vary {
			t.Errorf("%s: %d %q", row.name, got.StatusCode, got.Header)
		}
	}
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "Coo\u212aie") })
	if got := h.call("GET /api/x", cookie, sameOrign); !strings.HasSuffix(got.Header.Get("Vary"), ", Cookie") {
		t.Errorf("a Kelvin sign stands for a k: %q", got.Header)
	}
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60") })
	if got := h.call("GET /open/x", "Sec-Fetch-Mode: navigate", sameOrign); got.Header.Get("Cache-Control") != "max-age=60" || got.Header.Get("Vary") != "" {
		t.Errorf("session: none: %v", got.Header)
	}
}

// TestLocation: redirects pass unfollowed, those within the API by the route.
func TestLocation(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	for _, row := range [][3]string{
		{"/v/x", "/v2/y?z", "/v/y?z"}, {"/v/x", h.api.URL + "/v2/y", "/v/y"}, {"/v/x", "/other", "/other"}, {"/v/x", "https://elsewhere.test/v2/y", "https://elsewhere.test/v2/y"},
		{"/v/x", "/v2//elsewhere.test", "/v//elsewhere.test"}, {"/v/x", "//elsewhere.test/v2/y", "//elsewhere.test/v2/y"}, {"/v/x", "y", "y"}, {"/v/x", h.api.URL + ".evil.test/v2/", h.api.URL + ".evil.test/v2/"}, {"/other/x", h.api.URL + "/other/y", "/other/y"},
	} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", row[1]); w.WriteHeader(302) })
		if got := h.call("GET "+row[0], cookie, sameOrign); got.StatusCode != 302 || got.Header.Get("Location") != row[2] {
			t.Errorf("%s: Location %q came as %d %q, want %q", row[0], row[1], got.StatusCode, got.Header.Get("Location"), row[2])
		}
	}
}

// TestAddressHeaders: a location that the API built from X-Forwarded-Host, and
// pagination by Link, as pages see them.
func TestAddressHeaders(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		own := r.Header.Get("X-Forwarded-Proto") + "://" + r.Header.Get("X-Forwarded-Host")
		w.Header().Set("Location", own+"/v2/files/24e")
		w.Header().Set("Content-Location", own+r.Header.Get("X-Forwarded-Prefix")+"/files/24e")
		w.Header().Add("Link", "<"+h.api.URL+`/v2/list?page=2>; rel="next"`)
		w.Header().Add("Link", `<https://elsewhere.test/>; rel="help"`)
		w.WriteHeader(201)
	})
	got := h.call("GET /v/files", cookie, sameOrign)
	want := http.Header{"Location": {"/v/files/24e"}, "Content-Location": {"/v/files/24e"}, "Link": {`</v/list?page=2>; rel="next"`, `<https://elsewhere.test/>; rel="help"`}}
	for name, values := range want {
		if !slices.Equal(got.Header[name], values) {
			t.Errorf("%s: %q, want %q", name, got.Header[name], values)
		}
	}
	if prefix := h.api.Last(t).Header["X-Forwarded-Prefix"]; !slices.Equal(prefix, []string{"/v"}) {
		t.Errorf("X-Forwarded-Prefix: %q", prefix)
	}
	// the same where the prefix is only taken off, as for an upload (tus)
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://"+r.Header.Get("X-Forwarded-Host")+"/files/24e")
		w.WriteHeader(201)
	})
	if got := h.call("POST /root/files", cookie, shop, xcsrf); got.StatusCode != 201 || got.Header.Get("Location") != "/root/files/24e" {
		t.Errorf("an upload: %d %q", got.StatusCode, got.Header.Get("Location"))
	}
	if got := h.call("PATCH "+"/root/files/24e", cookie, shop, xcsrf); got.StatusCode != 201 || h.api.Last(t).URI != "/files/24e" {
		t.Errorf("its next part: %d at %s", got.StatusCode, h.api.Last(t).URI)
	}
}

// TestCORS: the shared host's preflights and answers, and the same-origin layout's silence.
func TestCORS(t *testing.T) {
	h := open(t, settings{})
	ask := "Access-Control-Request-Method: POST"
	got := h.call("OPTIONS /api/x", desk, apiHost, ask, sameSite)
	h.want(got, 204, "")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "https://desk.example.com", "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
		"Access-Control-Allow-Headers": "Content-Type, X-CSRF, X-XSRF-TOKEN, Last-Event-ID, X-Extra", "Access-Control-Max-Age": "7200", "Vary": "Origin"} {
		if got.Header.Get(name) != want {
			t.Errorf("preflight: %s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if got := h.call("OPTIONS /bff/login", desk, apiHost, ask); got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Access-Control-Allow-Methods") != "POST" {
		t.Errorf("preflight of sign-in: %v", got.Header)
	}
	evil := h.call("OPTIONS /api/x", "Origin: https://evil.example.com", apiHost, ask)
	h.want(evil, 403, "origin_not_allowed")
	if evil.Header.Get("Access-Control-Allow-Origin") != "" || evil.Header.Get("Vary") != "Origin" {
		t.Errorf("unlisted origin: %v", evil.Header)
	}
	expose := "Coatcheck-Error, Coatcheck-Idle-Expires-In, X-Request-Id, Retry-After, Location, Content-Disposition, Link, X-Total"
	for name, got := range map[string]answer{
		"401":     h.call("GET /api/x", desk, apiHost, sameSite),
		"404":     h.call("GET /nothing", desk, apiHost, sameSite),
		"400":     h.call("GET /api/../x", desk, apiHost, sameSite),
		"200":     h.call("GET /bff/session", desk, apiHost, sameSite),
		"proxied": h.call("GET /api/x", desk, apiHost, sameSite, h.signIn("ada@x.test", desk, apiHost, sameSite)),
	} {
		if got.Header.Get("Access-Control-Allow-Origin") != "https://desk.example.com" || got.Header.Get("Access-Control-Allow-Credentials") != "true" || got.Header.Get("Access-Control-Expose-Headers") != expose || !strings.Contains(got.Header.Get("Vary"), "Origin") {
			t.Errorf("%s: %v", name, got.Header)
		}
		if policy := got.Header.Get("Cross-Origin-Resource-Policy"); name != "400" && policy != "same-site" {
			t.Errorf("%s: Cross-Origin-Resource-Policy: %q", name, policy)
		}
	}
	own := h.call("GET /api/x", shop, sameOrign)
	if own.Header.Get("Access-Control-Allow-Origin") != "" || own.Header.Get("Vary") != "" {
		t.Errorf("same origin: %v", own.Header)
	}
	if native := h.call("GET /bff/session", apiHost, "X-Frontend: till"); native.body != `{"authenticated":false}` || native.Header.Get("Vary") != "Origin" {
		t.Errorf("native client: %v %s", native.Header, native.body)
	}
}

// TestFrontends: which frontend a call belongs to.
func TestFrontends(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "sessions:", "trusted_proxies: [127.0.0.1]\nsessions:")
	}})
	rows := []struct {
		name, request string
		headers       []string
		frontend      string
	}{
		{"host in capitals, port and dot", "/bff/login", []string{"Host: SHOP.example.com.:8443", shop}, "shop"},
		{"forwarded host", "/bff/login", []string{"Host: internal", "X-Forwarded-Host: shop.example.com", shop}, "shop"},
		{"two forwarded hosts: the Host counts", "/bff/login", []string{"X-Forwarded-Host: evil", "X-Forwarded-Host: evil2", shop}, "shop"},
		{"forwarded host that is none: the Host counts", "/bff/login", []string{"X-Forwarded-Host: evil:junk <x>", shop}, "shop"},
		{"list of forwarded hosts: the Host counts", "/bff/login", []string{"X-Forwarded-Host: evil, evil2", shop}, "shop"},
		{"by origin", "/bff/login", []string{apiHost, till}, "till"},
		{"by name, for native clients", "/bff/login", []string{apiHost, "X-Frontend: desk"}, "desk"},
		{"by base path", "/west/bff/login", []string{"Host: both.example.com", "Origin: https://pages.example.com"}, "west"},
		{"by base path, without origin", "/east/bff/login", []string{"Host: both.example.com"}, "east"},
	}
	for _, row := range rows {
		got := h.call("POST "+row.request+"\n\n"+loginBody("ada@x.test", rig.PasswordMark), append(row.headers, xcsrf, json_)...)
		if !strings.Contains(got.body, `"frontend":"`+row.frontend+`"`) {
			t.Errorf("%s: %d %s", row.name, got.StatusCode, got.body)
		}
	}
	h.want(h.call("POST /hook/x\n\nping", "Host: shop.example.com"), 200, "")
	h.want(h.call("POST /hook/x\n\nping", "Host: shop.example.com", "Sec-Fetch-Site: cross-site"), 200, "")
	for _, row := range [][2]string{{"1.2.3.4, 5.6.7.8", "5.6.7.8"}, {"5.6.7.8:99", "5.6.7.8"}, {"::ffff:5.6.7.8", "5.6.7.8"}, {"[2001:db8::1]:80", "2001:db8::1"}, {"5.6.7.8, 127.0.0.1", "5.6.7.8"}, {"evil, 127.0.0.1", "127.0.0.1"}, {"5.6.7.8, junk", "127.0.0.1"}} {
		h.call("GET /open/x", "X-Forwarded-For: "+row[0])
		if got := h.api.Last(t).Header.Get("X-Forwarded-For"); got != row[1] {
			t.Errorf("X-Forwarded-For %q came as %q, want %q", row[0], got, row[1])
		}
	}
	h.call("GET /open/x", "X-Request-Id: their.id-1")
	if got := h.api.Last(t).Header.Get("X-Request-Id"); got != "their.id-1" {
		t.Errorf("request id of a trusted peer: %q", got)
	}
}

// TestTokens: which calls carry the token.
func TestTokens(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	for request, want := range map[string]string{"GET /api/x": "Bearer " + rig.TokenMark + "1", "GET /maybe/x": "Bearer " + rig.TokenMark + "1", "GET /open/x": "", "GET /other/x": ""} {
		h.want(h.call(request, cookie, sameOrign, "Authorization: Bearer mine"), 200, "")
		if got := h.api.Last(t).Header.Get("Authorization"); got != want {
			t.Errorf("%s carried %q, want %q", request, got, want)
		}
	}
	dead := "Cookie: __Host-Http-shop=" + strings.Repeat("A", 43)
	for _, headers := range [][]string{{sameOrign}, {sameOrign, dead}} {
		h.want(h.call("GET /maybe/x", headers...), 200, "")
		if got := h.api.Last(t).Header.Get("Authorization"); got != "" {
			t.Errorf("optional without a person carried %q", got)
		}
	}
	h.want(h.call("GET /slash/a%2Fb%2f", cookie, sameOrign), 200, "")
	if got := h.api.Last(t).URI; got != "/slash/a%2Fb%2f" {
		t.Errorf("encoded slashes came as %q", got)
	}
	h.want(h.call("GET /v/a%20b//c;d?%2F", cookie, sameOrign), 200, "")
	if got := h.api.Last(t).URI; got != "/v2/a%20b//c;d?%2F" {
		t.Errorf("path came as %q", got)
	}
	head := h.call("HEAD /api/x", cookie, sameOrign)
	if head.StatusCode != 200 || head.ContentLength <= 0 {
		t.Errorf("HEAD: %d, length %d", head.StatusCode, head.ContentLength)
	}
}
