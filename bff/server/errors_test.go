package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// TestErrors sees each row of the contract's table of errors on the wire. (Those of
// the raw gate are in package gate; they are seen here once more, through the whole.)
func TestErrors(t *testing.T) {
	h := open(t, settings{})
	cookie := h.signIn("ada@x.test")
	good := loginBody("ada@x.test", rig.PasswordMark)
	dead := "Cookie: __Host-Http-shop=" + strings.Repeat("A", 43)
	rows := []struct {
		name    string
		request string
		headers []string
		status  int
		code    string
	}{
		{"login: not JSON", "POST /bff/login\n\nemail=a", []string{shop, xcsrf, json_}, 400, "bad_request"},
		{"login: unknown field", "POST /bff/login\n\n" + `{"email":"a","password":"b","x":"y"}`, []string{shop, xcsrf, json_}, 400, "bad_request"},
		{"path: dot segments", "GET /api/../x", []string{cookie}, 400, "bad_path"},
		{"path: encoded slash", "GET /api/a%2fb", []string{cookie}, 400, "bad_path"},
		{"path: absolute", "GET http://shop.example.com/api/", []string{cookie}, 400, "bad_path"},
		{"path: asterisk", "OPTIONS *", nil, 400, "bad_path"},
		{"path: double slash out of a rewrite", "GET /root//evil", []string{cookie}, 400, "bad_path"},
		{"frontend: none named", "GET /bff/session", []string{apiHost}, 400, "frontend_undetermined"},
		{"frontend: X-Frontend names nobody", "GET /bff/session", []string{apiHost, "X-Frontend: nobody"}, 400, "frontend_undetermined"},
		{"frontend: X-Frontend names another one", "GET /bff/session", []string{"X-Frontend: desk"}, 400, "frontend_undetermined"},
		{"frontend: X-Frontend of a browser", "GET /bff/session", []string{apiHost, "X-Frontend: desk", sameSite}, 400, "frontend_undetermined"},
		{"frontend: no base path", "GET /api/x", []string{"Host: both.example.com"}, 400, "frontend_undetermined"},
		{"frontend: base path is no prefix of letters", "GET /eastern/api/x", []string{"Host: both.example.com"}, 400, "frontend_undetermined"},
		{"no ticket", "GET /api/x", nil, 401, "not_authenticated"},
		{"no ticket: extend", "POST /bff/session", []string{shop, xcsrf}, 401, "not_authenticated"},
		{"no ticket: list", "GET /bff/sessions", nil, 401, "not_authenticated"},
		{"ticket of another form", "GET /api/x", []string{"Cookie: __Host-Http-shop=abc"}, 401, "not_authenticated"},
		{"quoted ticket", "GET /api/x", []string{replaced(cookie, "shop=", `shop="`) + `"`}, 401, "not_authenticated"},
		{"two tickets", "GET /api/x", []string{cookie + "; __Host-Http-shop=" + strings.Repeat("A", 43)}, 401, "not_authenticated"},
		{"two tickets in two headers", "GET /api/x", []string{cookie, dead}, 401, "not_authenticated"},
		{"dead ticket", "GET /api/x", []string{dead}, 401, "session_expired"},
		{"dead ticket: extend", "POST /bff/session", []string{dead, shop, xcsrf}, 401, "session_expired"},
		{"wrong password", "POST /bff/login\n\n" + loginBody("bob@x.test", "no"), []string{shop, xcsrf, json_}, 401, "invalid_credentials"},
		{"other origin", "GET /api/x", []string{cookie, "Origin: https://evil.example.com"}, 403, "origin_not_allowed"},
		{"null origin", "GET /api/x", []string{cookie, "Origin: null"}, 403, "origin_not_allowed"},
		{"origin of another frontend", "GET /api/x", []string{cookie, desk}, 403, "origin_not_allowed"},
		{"origin with a slash", "GET /api/x", []string{cookie, shop + "/"}, 403, "origin_not_allowed"},
		{"two origins", "GET /api/x", []string{cookie, shop, shop}, 403, "origin_not_allowed"},
		{"preflight of another origin", "OPTIONS /api/x", []string{"Origin: https://evil.example.com", "Access-Control-Request-Method: POST"}, 403, "origin_not_allowed"},
		{"cross-site", "GET /api/x", []string{cookie, "Sec-Fetch-Site: cross-site"}, 403, "cross_site_request"},
		{"same-site without origin", "GET /bff/session", []string{cookie, sameSite}, 403, "cross_site_request"},
		{"no CSRF header", "POST /api/x", []string{cookie, shop}, 403, "csrf_header_missing"},
		{"X-CSRF that is not 1", "POST /api/x", []string{cookie, shop, "X-CSRF: 2"}, 403, "csrf_header_missing"},
		{"login without CSRF header", "POST /bff/login\n\n" + good, []string{shop, json_}, 403, "csrf_header_missing"},
		{"logout without CSRF header", "POST /bff/logout", []string{cookie, shop}, 403, "csrf_header_missing"},
		{"answer as a script", "GET /api/x", []string{cookie, sameOrign, "Sec-Fetch-Dest: script"}, 403, "forbidden_destination"},
		{"service worker", "GET /api/x", []string{cookie, sameOrign, "Service-Worker: script"}, 403, "forbidden_destination"},
		{"no route", "GET /nothing", []string{cookie}, 404, "not_found"},
		{"route without its slash", "GET /api", []string{cookie}, 404, "not_found"},
		{"letters as written", "GET /API/x", []string{cookie}, 404, "not_found"},
		{"unknown /bff", "GET /bff/nothing", []string{cookie}, 404, "not_found"},
		{"/bff itself", "GET /bff", []string{cookie}, 404, "not_found"},
		{"sign-in path", "POST /root/auth/login\n\n" + good, []string{cookie, shop, xcsrf, json_}, 404, "not_found"},
		{"sign-in path with an encoded question mark", "POST /root/auth/login%3fx", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"sign-in path with an encoded space", "POST /root/auth/login%20", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"sign-in path with a space that has no width", "POST /root/auth/login%E2%80%8B", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"step where the API has none", "POST /bff/login\n\n" + `{"step":"otp","otp":"1"}`, []string{shop, xcsrf, json_}, 400, "bad_request"},
		{"sign-in path in another spelling", "POST /root/AUTH//l%6fgin;x/", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"refresh path", "POST /root/auth/refresh", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"logout path", "POST /root/auth/logout", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"private path", "GET /root/internal/x", []string{cookie}, 404, "not_found"},
		{"sessions: nobody's id", "DELETE /bff/sessions/x", []string{cookie, shop, xcsrf}, 404, "not_found"},
		{"sign out by GET", "GET /bff/logout", []string{cookie}, 405, "method_not_allowed"},
		{"login by PUT", "PUT /bff/login", []string{shop, xcsrf}, 405, "method_not_allowed"},
		{"method that the route does not take", "POST /v/x", []string{cookie, shop, xcsrf}, 405, "method_not_allowed"},
		{"OPTIONS that is no preflight", "OPTIONS /api/x", []string{cookie, shop}, 405, "method_not_allowed"},
		{"login too large", "POST /bff/login\n\n" + strings.Repeat(" ", 9000), []string{shop, xcsrf, json_}, 413, "body_too_large"},
		{"login too large, chunked", "POST /bff/login\n\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 9000, strings.Repeat(" ", 9000)), []string{shop, xcsrf, json_, "Transfer-Encoding: chunked"}, 413, "body_too_large"},
		{"body too large", "POST /api/x\n\n" + strings.Repeat("a", 1025), []string{cookie, shop, xcsrf}, 413, "body_too_large"},
		{"body too large, chunked", "POST /api/x\n\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 1025, strings.Repeat("a", 1025)), []string{cookie, shop, xcsrf, "Transfer-Encoding: chunked"}, 413, "body_too_large"},
		{"login as text", "POST /bff/login\n\n" + good, []string{shop, xcsrf, "Content-Type: text/plain"}, 415, "unsupported_media_type"},
		{"login as form", "POST /bff/login\n\nemail=a&password=b", []string{shop, xcsrf, "Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		{"login without a type", "POST /bff/login\n\n" + good, []string{shop, xcsrf}, 415, "unsupported_media_type"},
		{"login in Latin-1", "POST /bff/login\n\n" + good, []string{shop, xcsrf, json_ + "; charset=iso-8859-1"}, 415, "unsupported_media_type"},
		{"login compressed", "POST /bff/login\n\n" + good, []string{shop, xcsrf, json_, "Content-Encoding: gzip"}, 415, "unsupported_media_type"},
		{"unknown host", "GET /api/x", []string{"Host: evil.example.com"}, 421, "unknown_host"},
		{"host is no suffix", "GET /api/x", []string{"Host: x.shop.example.com"}, 421, "unknown_host"},
		{"API that is not there", "GET /gone/x", nil, 502, "upstream_unreachable"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			h.t = t
			got := h.call(row.request, row.headers...)
			h.want(got, row.status, row.code)
			if len(got.Header["Set-Cookie"]) != 0 {
				t.Errorf("an error set a cookie: %q", got.Header["Set-Cookie"])
			}
			if row.status == 405 && got.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
	h.t = t
}

// TestErrorsOfTheRawGate sees the gate's answers through the whole program.
func TestErrorsOfTheRawGate(t *testing.T) {
	h := open(t, settings{})
	hasty := open(t, settings{edit: func(s string) string { return replaced(s, "limits: {", "limits: {header_timeout: 300ms, ") }})
	rows := []struct {
		request string
		status  int
		code    string
	}{
		{"GET / HTTP/1.1\r\nHost: shop.example.com\r\nX: a\x01b\r\n\r\n", 400, "bad_request"},
		{"TRACE / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", 405, "method_not_allowed"},
		{"GET / HTTP/1.1\r\nHost: shop.example.com\r\n", 408, "request_timeout"},
		{"POST / HTTP/1.1\r\nHost: shop.example.com\r\nExpect: x\r\n\r\n", 417, "expectation_failed"},
		{"GET /" + strings.Repeat("a", 20000) + " HTTP/1.1\r\n", 431, "headers_too_large"},
	}
	for _, row := range rows {
		at := h
		if row.status == 408 {
			at = hasty
		}
		if got := at.raw(row.request, false); got.StatusCode != row.status || got.code() != row.code {
			t.Errorf("%.30q: %d %s", row.request, got.StatusCode, got.code())
		}
	}
}

// TestSlowBody: a body that falls silent is 408.
func TestSlowBody(t *testing.T) {
	h := open(t, settings{edit: func(s string) string { return replaced(s, "body_idle: 60s", "body_idle: 300ms") }})
	got := h.raw("POST /bff/login HTTP/1.1\r\nHost: shop.example.com\r\n"+shop+"\r\n"+xcsrf+"\r\n"+json_+"\r\nContent-Length: 50\r\n\r\n{", false)
	h.want(got, 408, "request_timeout")
}

// TestMeanings: what the API's answer to a sign-in means.
func TestMeanings(t *testing.T) {
	answers := `
      answers:
        - {at: /e, is: mfa, means: mfa_required}
        - {at: /e, is: locked, means: account_locked}
        - {at: /e, is: disabled, means: account_disabled}
        - {at: /e, is: unverified, means: account_unverified}
        - {at: /e, is: old, means: password_expired}
        - {at: /e, is: many, means: too_many_attempts}
        - {at: /e, is: wrong, means: invalid_credentials}
        - {at: /e, is: broken, means: upstream_invalid}
`
	h := open(t, settings{edit: func(s string) string { return replaced(s, "\n      rejected: [401]\n", answers) }})
	rows := []struct {
		e      string
		status int
		code   string
	}{
		{"mfa", 401, "mfa_required"}, {"locked", 403, "account_locked"}, {"disabled", 403, "account_disabled"}, {"unverified", 403, "account_unverified"},
		{"old", 403, "password_expired"}, {"many", 429, "too_many_attempts"}, {"wrong", 401, "invalid_credentials"}, {"broken", 502, "upstream_invalid"}, {"other", 502, "upstream_invalid"},
	}
	for i, row := range rows {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); fmt.Fprintf(w, `{"e":%q}`, row.e) })
		h.want(h.call("POST /bff/login\n\n"+loginBody(fmt.Sprint("p", i), rig.PasswordMark), shop, xcsrf, json_), row.status, row.code)
	}
}

// TestAPIFailures: an API that is slow, redirects, breaks or babbles.
func TestAPIFailures(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "isolate: false}", "isolate: false, header_timeout: 300ms}")
	}})
	cookie := h.signIn("ada@x.test")
	login := func() answer {
		return h.call("POST /bff/login\n\n"+loginBody("bob@x.test", rig.PasswordMark), shop, xcsrf, json_)
	}
	for name, say := range map[string]func(w http.ResponseWriter, r *http.Request){
		"redirect":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) },
		"server error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"no token":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) },
		"token of blank": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"access_token":"a b"}`) },
		"no subject": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"access_token":"a","user":{}}`)
		},
		"page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `<html>`) },
	} {
		t.Run(name, func(t *testing.T) { h.api.Say(say); h.t = t; h.want(login(), 502, "upstream_invalid") })
	}
	h.t = t
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) })
	got := login()
	h.want(got, 429, "too_many_attempts")
	if got.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
	}
	release := make(chan struct{})
	h.api.Say(func(http.ResponseWriter, *http.Request) { <-release })
	h.want(h.call("GET /plain/slow", cookie, sameOrign), 504, "upstream_timeout")
	close(release)
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		_ = c.Close()
	})
	h.want(h.call("POST /api/x", cookie, shop, xcsrf), 502, "upstream_unreachable")
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
		c, b, _ := w.(http.Hijacker).Hijack()
		_, _ = b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
		_ = b.Flush()
		_ = c.Close()
	})
	h.want(h.call("POST /api/x", cookie, shop, xcsrf), 502, "upstream_invalid")
	h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) })
	h.want(h.call("GET /api/x", cookie, sameOrign), 502, "upstream_invalid")
	for _, status := range []int{400, 403, 404, 418, 429, 500, 503} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "theirs")
		})
		if got := h.call("GET /api/x", cookie, sameOrign); got.StatusCode != status || got.body != "theirs" || got.code() != "" {
			t.Errorf("status %d came as %d %q", status, got.StatusCode, got.code())
		}
	}
}

// TestThrottle: after so many wrong passwords the API is not asked, right or wrong.
func TestThrottle(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			try := func(password string) answer {
				return h.call("POST /bff/login\n\n"+loginBody(" Ada@X.test", password), till, apiHost, sameSite, xcsrf, json_)
			}
			for range 3 {
				h.want(try("wrong"), 401, "invalid_credentials")
			}
			asked := h.api.Count()
			got := try(rig.PasswordMark)
			h.want(got, 429, "too_many_attempts")
			if got.Header.Get("Retry-After") == "" || h.api.Count() != asked {
				t.Errorf("Retry-After %q, API asked %d times", got.Header.Get("Retry-After"), h.api.Count()-asked)
			}
			h.want(h.call("POST /bff/login\n\n"+loginBody("ada@x.TEST", rig.PasswordMark), till, apiHost, sameSite, xcsrf, json_), 429, "too_many_attempts")
		})
	}
}

// TestStoreAway: 503, the cookie stays, and the same ticket works when it is back.
func TestStoreAway(t *testing.T) {
	address := "127.0.0.1:" + freeport.Text(t)
	h := open(t, settings{store: "redis://" + address + "/0"})
	cookie := "Cookie: __Host-Http-shop=" + strings.Repeat("A", 43)
	for _, request := range []string{"GET /api/x", "GET /bff/session", "GET /maybe/x"} {
		got := h.call(request, cookie, sameOrign)
		h.want(got, 503, "store_unavailable")
		if got.Header.Get("Retry-After") == "" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", request, got.Header)
		}
	}
	got := h.call("POST /bff/logout", cookie, shop, xcsrf)
	h.want(got, 503, "store_unavailable")
	if got.Header.Get("Set-Cookie") != "" {
		t.Error("a sign-out that did not happen expired the cookie")
	}
	h.want(h.call("POST /bff/login\n\n"+loginBody("a", "b"), shop, xcsrf, json_), 503, "store_unavailable")
	h.want(h.call("GET /open/x"), 200, "")
	h.want(h.call("GET /api/x"), 401, "not_authenticated")
}
