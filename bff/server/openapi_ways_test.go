package server_test

import (
	"net/http"
	"strings"
	"sync/atomic"

	"coatcheck/bff/rig"
)

// withExchange adds an exchange to the usual configuration.
func withExchange(s string) string {
	s = replaced(s, "    refresh:", "    exchanges: {swap: {fields: [x], timeout: 500ms, answers: [{status: 423, means: invalid_fields}], request: {path: /swap, body: {x: \"{x}\"}}}}\n    refresh:")
	return replaced(s, "expose: [id, email]}", "expose: [id, email], exchanges: [swap]}")
}

// exchanges makes the calls of an exchange.
func (d *openAPI) exchanges(away string) {
	h := open(d.t, settings{edit: withExchange})
	cookie := h.signIn("ada@x.test")
	status := 200
	say := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + `x"}`))
	}
	call := func(want int, name, body string, headers ...string) answer {
		d.t.Helper()
		got := h.call("POST /bff/exchange/"+name+"\n\n"+body, headers...)
		if got.StatusCode != want {
			d.t.Errorf("exchange: %d, want %d\n%s", got.StatusCode, want, got.body)
		}
		d.holds("POST", "/bff/exchange/{id}", got)
		return got
	}
	const body = `{"x":"y"}`
	call(401, "swap", body, shop, xcsrf, json_)
	call(400, "swap", `{}`, shop, xcsrf, json_, cookie)
	call(403, "swap", body, shop, json_, cookie)
	call(404, "none", body, shop, xcsrf, json_, cookie)
	call(413, "swap", strings.Repeat(" ", 9000), shop, xcsrf, json_, cookie)
	call(415, "swap", body, shop, xcsrf, cookie)
	h.api.Say(say)
	for says, want := range map[int]int{423: 422, 429: 429, 500: 502} {
		status = says
		call(want, "swap", body, shop, xcsrf, json_, cookie)
	}
	status = 200
	cookie = "Cookie: " + cookieOf(d.t, call(200, "swap", body, shop, xcsrf, json_, cookie))
	h.api.Say(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	call(504, "swap", body, shop, xcsrf, json_, cookie)
	h = open(d.t, settings{store: away, edit: withExchange})
	call(503, "swap", body, shop, xcsrf, json_, "Cookie: "+shopCookie+"="+strings.Repeat("A", 43))
}

// reloads makes the calls by which a person is read anew.
func (d *openAPI) reloads() {
	h := open(d.t, settings{edit: func(s string) string {
		return replaced(s, "user: {from: response, at: /user, subject: /id}", "user: {from: request, path: /me, timeout: 500ms}")
	}})
	var status atomic.Int64 // a handler may still read it when its call was given up
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		now := int(status.Load())
		if r.URL.Path == "/me" && now == 0 {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(max(now, 200))
		_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + `x","id":"7"}`))
	})
	for says, want := range map[int]int{500: 502, 0: 504} {
		status.Store(200)
		cookie := h.signIn("ada@x.test")
		for _, row := range []struct {
			status int
			body   string
			more   string
		}{{400, `{"x":1}`, json_}, {413, strings.Repeat(" ", 9000), json_}, {415, `{}`, ""}, {want, `{"reload":true}`, json_}} {
			status.Store(int64(says))
			got := h.call("POST /bff/session\n\n"+row.body, shop, xcsrf, cookie, row.more)
			if got.StatusCode != row.status {
				d.t.Errorf("reload: %d, want %d\n%s", got.StatusCode, row.status, got.body)
			}
			d.holds("POST", "/bff/session", got)
		}
	}
}
