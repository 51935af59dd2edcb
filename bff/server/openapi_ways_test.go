package server_test

import (
	"net/http"
	"strings"

	"coatcheck/bff/rig"
)

// withExchange adds an exchange to the usual configuration.
func withExchange(s string) string {
	s = replaced(s, "    refresh:", "    exchanges: {swap: {fields: [x], answers: [{status: 423, means: invalid_fields}], request: {path: /swap, body: {x: \"{x}\"}}}}\n    refresh:")
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
	cookieOf(d.t, call(200, "swap", body, shop, xcsrf, json_, cookie))
	h = open(d.t, settings{edit: func(s string) string {
		return replaced(withExchange(s), "swap: {fields: [x],", "swap: {fields: [x], timeout: 500ms,")
	}})
	cookie = h.signIn("ada@x.test")
	h.api.Say(silent)
	call(504, "swap", body, shop, xcsrf, json_, cookie)
	h = open(d.t, settings{store: away, edit: withExchange})
	call(503, "swap", body, shop, xcsrf, json_, "Cookie: "+shopCookie+"="+strings.Repeat("A", 43))
}

// reloads makes the calls by which a person is read anew.
func (d *openAPI) reloads() {
	for _, row := range []struct {
		more string // of the configuration
		api  http.HandlerFunc
		want int
	}{
		{"", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 502},
		{", timeout: 500ms", silent, 504},
	} {
		h := open(d.t, settings{edit: func(s string) string {
			return replaced(s, "user: {from: response, at: /user, subject: /id}", "user: {from: request, path: /me"+row.more+"}")
		}})
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + `x","id":"7"}`))
		})
		var in answer
		rig.Until(d.t, "a sign-in whose /me is in time", func() bool {
			in = h.call("POST /bff/login\n\n"+loginBody("ada@x.test", rig.PasswordMark), shop, xcsrf, json_)
			return in.StatusCode == 200
		})
		cookie := "Cookie: " + cookieOf(d.t, in)
		h.api.Say(row.api)
		for _, c := range []struct {
			status int
			body   string
			more   string
		}{{400, `{"x":1}`, json_}, {413, strings.Repeat(" ", 9000), json_}, {415, `{}`, ""}, {row.want, `{"reload":true}`, json_}} {
			got := h.call("POST /bff/session\n\n"+c.body, shop, xcsrf, cookie, c.more)
			if got.StatusCode != c.status {
				d.t.Errorf("reload: %d, want %d\n%s", got.StatusCode, c.status, got.body)
			}
			d.holds("POST", "/bff/session", got)
		}
	}
}
