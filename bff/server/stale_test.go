package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// renewable makes a case's API one whose token t1 dies: every call with it is answered by
// dead, and a renewal gives t2 and r2.
func (a *caseAPI) renewable(path string, dead http.HandlerFunc) {
	a.paths["/auth/refresh"] = says(200, `{"access_token":"t2","refresh_token":"r2"}`)
	a.paths[path] = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t2" {
			dead(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":1}`)
	}
}

// refreshing adds a refresh, and more keys of the upstream, to the configuration.
func refreshing(more string) []string {
	return []string{", expires_in: /expires_in}\n      user: {from: response, at: /user}\n",
		"}\n      user: {from: response, at: /user}\n    refresh: {request: {path: /auth/refresh, body: {refresh_token: \"{refresh_token}\"}}, rejected: [401]}\n" + more}
}

// TestCaseDeadTokenIs403: a named answer renews the token, and the call is repeated; with
// verify instead, the API is asked first, and a dead token is renewed before it ends anything.
func TestCaseDeadTokenIs403(t *testing.T) {
	for name, more := range map[string]string{
		"stale":  "    stale: [{status: 403, at: /detail, is: \"Signature*\"}]\n",
		"419":    "    stale: [{status: 403}]\n",
		"header": "    stale: [{status: 403, at: {header: X-Error}, is: expired}]\n",
		"verify": "    verify: {after: [401, 403], request: {path: /me}, rejected: [401, 403]}\n",
		"both":   "    stale: [{status: 403, at: /detail}]\n    verify: {after: [401, 403], request: {path: /me}, rejected: [401, 403]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			h, a := openCase(t, refreshing(more)...)
			dead := func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Error", "expired")
				says(403, `{"detail":"Signature has expired."}`)(w, r)
			}
			a.renewable("/x", dead)
			a.paths["/me"] = dead
			cookie := h.signIn("ada@x.test")
			for range 3 {
				if got := h.call("POST /api/x\n\n{}", cookie, shop, xcsrf, json_); got.StatusCode != 200 || got.body != `{"data":1}` {
					t.Fatalf("call: %d %q %s", got.StatusCode, got.code(), got.body)
				}
			}
			if n := a.count("POST /auth/refresh"); n != 1 {
				t.Errorf("%d renewals", n)
			}
			if got := h.call("GET /bff/session", cookie, sameOrign); !strings.Contains(got.body, `"authenticated":true`) {
				t.Errorf("session: %s", got.body)
			}
		})
	}
}

// TestCaseGraphQL: a dead token is told inside of a 200, whole, in chunks, or zipped.
func TestCaseGraphQL(t *testing.T) {
	const body = `{"data":null,"errors":[{"extensions":{"code":"UNAUTHENTICATED"}}]}`
	for name, dead := range map[string]http.HandlerFunc{
		"length": says(200, body),
		"no type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, body)
		},
		"chunks": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
			for _, part := range []string{body[:9], body[9:]} {
				_, _ = io.WriteString(w, part)
				w.(http.Flusher).Flush()
			}
		},
		"gzip": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				w.WriteHeader(500)
				return
			}
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = io.WriteString(z, body)
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(b.Bytes())
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() (late bool, fault string) {
				h, a := openCase(t, refreshing("    stale: [{status: 200, at: /errors/0/extensions/code, is: UNAUTHENTICATED}]\n")...)
				a.renewable("/gql", dead)
				cookie := h.signIn("ada@x.test")
				begun := time.Now()
				got := h.call("POST /api/gql\n\n{}", cookie, shop, xcsrf, json_, "Accept-Encoding: br, gzip;q=0.8")
				late = time.Since(begun) >= lookPatience
				if got.StatusCode != 200 || got.body != `{"data":1}` || a.count("POST /auth/refresh") != 1 {
					fault = fmt.Sprintf("%d %s\n%q", got.StatusCode, got.body, a.asked)
				}
				return late, fault
			})
		})
	}
}

// TestStaleLeavesOthers: what shows no sign, cannot be looked at, or streams passes as it
// came, and nothing is renewed.
func TestStaleLeavesOthers(t *testing.T) {
	h, a := openCase(t, refreshing("    stale: [{at: /code, is: dead}]\n")...)
	large := `{"code":"dead","x":"` + strings.Repeat("x", 70<<10) + `"}`
	answers := map[string]http.HandlerFunc{
		"/alive": says(200, `{"code":"fine"}`), "/broken": says(200, `{"code":"dead"`), "/large": says(200, large),
		"/text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, `{"code":"dead"}`)
		},
		"/br": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, `{"code":"dead"}`)
		},
	}
	want := map[string]string{"/alive": `{"code":"fine"}`, "/broken": `{"code":"dead"`, "/large": large, "/text": `{"code":"dead"}`, "/br": `{"code":"dead"}`}
	for path, answer := range answers {
		a.paths[path] = answer
	}
	cookie := h.signIn("ada@x.test")
	for path, body := range want {
		if got := h.call("GET /api"+path, cookie, sameOrign); got.StatusCode != 200 || got.body != body {
			t.Errorf("%s: %d, %d bytes", path, got.StatusCode, len(got.body))
		}
	}
	for _, length := range []string{"", "15"} {
		release := make(chan struct{})
		a.paths["/slow"] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = io.WriteString(w, `{"code":`)
			w.(http.Flusher).Flush()
			<-release
			_, _ = io.WriteString(w, `"dead"}`)
		}
		_, got := h.stream("GET /api/slow HTTP/1.1\r\nHost: shop.example.com\r\n" + cookie + "\r\n\r\n")
		first := make([]byte, 8)
		if _, err := io.ReadFull(got.Body, first); err != nil || string(first) != `{"code":` {
			t.Errorf("a slow body is held: %q, %v", first, err)
		}
		close(release)
		if rest, err := io.ReadAll(got.Body); err != nil || string(rest) != `"dead"}` {
			t.Errorf("its rest: %q, %v", rest, err)
		}
	}
	if n := a.count("POST /auth/refresh"); n != 0 {
		t.Errorf("%d renewals", n)
	}
}

// TestStaleUpload: a body that cannot be repeated passes with the API's answer, but the
// token is renewed for the next call, once.
func TestStaleUpload(t *testing.T) {
	h, a := openCase(t, refreshing("    stale: [{status: 419}]\n")...)
	a.renewable("/x", says(419, `{}`))
	cookie := h.signIn("ada@x.test")
	chunked := "Transfer-Encoding: chunked"
	got := h.call("POST /api/x\n\n3\r\nabc\r\n0\r\n\r\n", cookie, shop, xcsrf, chunked)
	if got.StatusCode != 419 || a.count("POST /auth/refresh") != 1 {
		t.Errorf("upload: %d, %q", got.StatusCode, a.asked)
	}
	if got = h.call("POST /api/x\n\n3\r\nabc\r\n0\r\n\r\n", cookie, shop, xcsrf, chunked); got.StatusCode != 200 || a.count("POST /auth/refresh") != 1 {
		t.Errorf("the next: %d, %q", got.StatusCode, a.asked)
	}
}

// TestVerifyEndsWhatCannotBeRenewed: where the new token is dead as well, or the refresh
// token is, the session ends.
func TestVerifyEndsWhatCannotBeRenewed(t *testing.T) {
	verify := "    verify: {after: [403], request: {path: /me}, rejected: [403]}\n"
	for name, refresh := range map[string]http.HandlerFunc{
		"refused": says(401, `{}`), "no better": says(200, `{"access_token":"t3"}`), "API away": says(500, `{}`),
	} {
		t.Run(name, func(t *testing.T) {
			h, a := openCase(t, refreshing(verify)...)
			a.renewable("/x", says(403, `{}`))
			a.paths["/me"], a.paths["/auth/refresh"] = says(403, `{}`), refresh
			cookie := h.signIn("ada@x.test")
			got := h.call("GET /api/x", cookie, sameOrign)
			if name == "refused" {
				h.want(got, 401, "session_expired")
				return
			}
			if got.StatusCode != 403 || got.code() != "" {
				t.Errorf("the API's own: %d %q", got.StatusCode, got.code())
			}
			if got = h.call("GET /bff/session", cookie, sameOrign); !strings.Contains(got.body, `"authenticated":true`) {
				t.Errorf("session: %s", got.body)
			}
		})
	}
}

// TestReload: the person is read anew, at most once in ten seconds, and from the answer
// to a renewal.
func TestReload(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s.config = replaced(caseBase, "user: {from: response, at: /user}", "user: {from: request, path: /me}")
			h, a := open(t, s), &caseAPI{paths: map[string]http.HandlerFunc{}}
			h.api.Say(a.serve)
			person := `{"id":"7","name":"Ada"}`
			a.paths["/me"] = func(w http.ResponseWriter, r *http.Request) { says(200, person)(w, r) }
			cookie := h.signIn("ada@x.test")
			person = `{"id":"7","name":"Ada II"}`
			post := func(body string) answer { return h.call("POST /bff/session\n\n"+body, cookie, shop, xcsrf, json_) }
			if got := post(""); userOf(t, got) != `{"id":"7","name":"Ada"}` {
				t.Errorf("extended: %s", got.body)
			}
			if got := post(`{"reload":false}`); userOf(t, got) != `{"id":"7","name":"Ada"}` {
				t.Errorf("not reloaded: %s", got.body)
			}
			if got := post(`{"reload":true}`); userOf(t, got) != `{"id":"7","name":"Ada II"}` || len(got.Header["Set-Cookie"]) != 0 {
				t.Errorf("reloaded: %s", got.body)
			}
			person = `{"id":"7","name":"Ada III"}`
			if got := post(`{"reload":true}`); userOf(t, got) != `{"id":"7","name":"Ada II"}` || a.count("GET /me") != 2 {
				t.Errorf("again, too soon: %s, asked %d times", got.body, a.count("GET /me"))
			}
			if got := h.call("GET /bff/session", cookie, sameOrign); userOf(t, got) != `{"id":"7","name":"Ada II"}` {
				t.Errorf("kept: %s", got.body)
			}
			for _, body := range []string{"x", "[]", "null", `{"reload":1}`, `{"reload":"true"}`, `{"x":true}`, `{"reload":true,"x":1}`,
				`{"reload":false,"reload":true}`, `{"reload":true,"\u0072eload":true}`, `{"reload":null}`, `{"Reload":true}`, `{"reload":true}{}`, "{\"reload\":true}\x00"} {
				h.want(post(body), 400, "bad_request")
			}
			h.want(h.call("POST /bff/session\n\n{}", cookie, shop, xcsrf, "Content-Type: text/plain"), 415, "unsupported_media_type")
		})
	}
}

// TestReloadWithDeadToken: where the API calls the token dead when it is asked who the
// person is, the token is renewed, as for any other call, and the API is asked again.
func TestReloadWithDeadToken(t *testing.T) {
	const stale = "    stale: [{status: 403, at: /code, is: expired}, {status: 200, at: /errors/0/code, is: UNAUTHENTICATED}]\n"
	for name, dead := range map[string]http.HandlerFunc{
		"401": says(401, `{}`), "403": says(403, `{"code":"expired"}`), "200": says(200, `{"errors":[{"code":"UNAUTHENTICATED"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			edit := refreshing(stale)
			edit[1] = replaced(edit[1], "{from: response, at: /user}", "{from: request, path: /me}")
			h, a := openCase(t, edit...)
			a.paths["/me"] = says(200, `{"id":"7"}`)
			cookie := h.signIn("ada@x.test")
			post := func() answer { return h.call("POST /bff/session\n\n"+`{"reload":true}`, cookie, shop, xcsrf, json_) }
			a.renewable("/other", dead)
			a.paths["/me"] = func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer t2" {
					dead(w, r)
					return
				}
				says(200, `{"id":"7","name":"Ada II"}`)(w, r)
			}
			if got := post(); userOf(t, got) != `{"id":"7","name":"Ada II"}` || a.count("POST /auth/refresh") != 1 {
				t.Errorf("%d %s, renewed %d times", got.StatusCode, got.body, a.count("POST /auth/refresh"))
			}
			a.paths["/me"] = says(200, `{"id":"7"}`)
			cookie = h.signIn("grace@x.test")
			a.paths["/me"] = dead
			h.want(post(), 502, "upstream_invalid")
			if got := h.call("GET /bff/session", cookie, sameOrign); !strings.Contains(got.body, `"authenticated":true`) {
				t.Errorf("session: %s", got.body)
			}
			a.paths["/me"] = says(200, `{"id":"7"}`)
			cookie = h.signIn("linus@x.test")
			a.paths["/me"], a.paths["/auth/refresh"] = dead, says(401, `{}`)
			if got := post(); got.StatusCode != 401 || got.code() != "session_expired" {
				t.Errorf("with a dead refresh token: %d %s", got.StatusCode, got.body)
			}
		})
	}
}

// TestReloadOfAnother: who is somebody else all of a sudden is not taken over.
func TestReloadOfAnother(t *testing.T) {
	h, a := openCase(t, "user: {from: response, at: /user}", "user: {from: request, path: /me}")
	a.paths["/me"] = says(200, `{"id":"7"}`)
	cookie := h.signIn("ada@x.test")
	a.paths["/me"] = says(200, `{"id":"8"}`)
	h.want(h.call("POST /bff/session\n\n"+`{"reload":true}`, cookie, shop, xcsrf, json_), 502, "upstream_invalid")
	if got := h.call("GET /bff/session", cookie, sameOrign); userOf(t, got) != `{"id":"7"}` {
		t.Errorf("session: %s", got.body)
	}
}

// TestPersonFromRenewal: a renewal that describes the person changes what the session
// says of them; one of somebody else is none.
func TestPersonFromRenewal(t *testing.T) {
	for refreshed, want := range map[string]string{
		`{"access_token":"t2","user":{"id":"7","name":"Ada II"}}`: `{"id":"7","name":"Ada II"}`,
		`{"access_token":"t2"}`:                                   `{"email":"a@x.test","id":"7","name":"Ada"}`,
		`{"access_token":"t2","user":{"name":"nobody"}}`:          `{"email":"a@x.test","id":"7","name":"Ada"}`,
		`{"access_token":"t2","user":{"id":"8"}}`:                 `{"email":"a@x.test","id":"7","name":"Ada"}`,
	} {
		h, a := openCase(t, refreshing("")...)
		a.renewable("/x", says(401, `{}`))
		a.paths["/auth/refresh"] = says(200, refreshed)
		cookie := h.signIn("ada@x.test")
		got := h.call("GET /api/x", cookie, sameOrign)
		if status := map[bool]int{true: 401, false: 200}[strings.Contains(refreshed, `"8"`)]; got.StatusCode != status {
			t.Errorf("%s: %d", refreshed, got.StatusCode)
		}
		if got = h.call("GET /bff/session", cookie, sameOrign); userOf(t, got) != want {
			t.Errorf("%s: %s", refreshed, got.body)
		}
	}
}

// TestPolls: a route, and a call that says so, do not prolong the idle time.
func TestPolls(t *testing.T) {
	h, _ := openCase(t, "routes: [{path: /api/,", "routes: [{path: /api/poll, upstream: api, extend: false}, {path: /api/,",
		`near_cache: "${NEAR}"}`, `near_cache: 0s, idle_timeout: 1s}`)
	for name, poll := range map[string][]string{"route": {"GET /api/poll"}, "header": {"GET /api/x", "Coatcheck-Extend: false"}} {
		inTime(t, func() (late bool, fault string) {
			begun := time.Now()
			cookie := h.signIn("ada@x.test")
			got := h.call(poll[0], append(poll[1:], cookie, sameOrign)...)
			if got.StatusCode != 200 || h.api.Last(t).Header.Get("Coatcheck-Extend") != "" {
				return time.Since(begun) >= time.Second, fmt.Sprintf("%s: %d, the API saw %v", name, got.StatusCode, h.api.Last(t).Header)
			}
			for got.StatusCode == 200 { // ends although it polls on and on
				got = h.call(poll[0], append(poll[1:], cookie, sameOrign)...)
			}
			h.want(got, 401, "session_expired")
			return false, ""
		})
	}
}
