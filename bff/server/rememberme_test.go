package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// remembering is a house whose people choose whether their cookie outlives the browser.
func remembering(t *testing.T, s settings) *house {
	t.Helper()
	s.config = strings.NewReplacer(
		`origins: ["https://shop.example.com"]`, `origins: ["https://shop.example.com"]`+"\n    cookie: {persistent: remember}",
		`fields: [email, password], expose: [id, name]`, `fields: [email, password, "remember?: bool"], expose: [id, name]`,
		`fields: [email, password, "name?"]`, `fields: [email, password, "remember: bool", "name?"]`,
		`{fields: [otp], keep`, `{fields: [otp, "remember?: bool"], keep`).Replace(wayward)
	h, m := open(t, s), &minting{}
	h.api.Say(m.serve)
	return h
}

// TestRememberMe: the cookie of a session outlives the browser where the person sent
// true, and so does that of an exchange, which comes in its place, and of a renewal's record.
func TestRememberMe(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := remembering(t, s)
			for _, row := range []struct {
				what, body, step string
				persistent       bool
			}{
				{"not said", `{"email":"ada@x.test","password":"pw"}`, "", false},
				{"wanted", `{"email":"ada@x.test","password":"pw","remember":true}`, "", true},
				{"not wanted", `{"email":"ada@x.test","password":"pw","remember":false}`, "", false},
				{"a way", `{"way":"sign_up","email":"ada@x.test","password":"pw","remember":true}`, "", true},
				{"a way, not wanted", `{"way":"sign_up","email":"ada@x.test","password":"pw","remember":false}`, "", false},
				{"before a step", `{"email":"ada@x.test","password":"factor","remember":true}`, `{"step":"otp","otp":"1"}`, true},
				{"at a step", `{"email":"ada@x.test","password":"factor"}`, `{"step":"otp","otp":"1","remember":true}`, true},
				{"taken back at a step", `{"email":"ada@x.test","password":"factor","remember":true}`, `{"step":"otp","otp":"1","remember":false}`, false},
			} {
				got := h.post(row.body)
				if row.step != "" {
					value, _, _ := strings.Cut(set(got)[stepCookie], ";")
					got = h.post(row.step, "Cookie: "+stepCookie+"="+value)
				}
				h.want(got, 200, "")
				for _, exchange := range []string{"", "organisation"} {
					if exchange != "" {
						got = h.exchange(exchange, `{"organisation":"o2"}`, "Cookie: __Host-Http-shop="+strings.Split(set(got)["__Host-Http-shop"], ";")[0])
						h.want(got, 200, "")
					}
					lasts := strings.Contains(fmt.Sprint(got.Header["Set-Cookie"]), "SameSite=Strict; Max-Age=43200")
					if lasts != row.persistent {
						t.Errorf("%s %s: %v", row.what, exchange, got.Header["Set-Cookie"])
					}
				}
			}
		})
	}
}

// TestRememberMeLasts: a renewal of the token keeps what the person chose.
func TestRememberMeLasts(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := remembering(t, s)
			given := 0
			h.api.Say(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/auth/login", "/auth/refresh", "/switch-tenant":
					given++
					fmt.Fprintf(w, `{"access_token":"t%d","refresh_token":"r","user":{"id":"7"}}`, given)
				default:
					if strings.HasSuffix(r.Header.Get("Authorization"), "t1") {
						w.WriteHeader(401)
					}
					_, _ = io.WriteString(w, r.Header.Get("Authorization"))
				}
			})
			cookie := "Cookie: " + cookieOf(t, h.post(`{"email":"ada@x.test","password":"pw","remember":true}`))
			if got := h.call("GET /api/x", cookie, sameOrign); got.body != "Bearer t2" {
				t.Fatalf("not renewed: %s", got.body)
			}
			got := h.exchange("organisation", `{"organisation":"o2"}`, cookie)
			if !strings.Contains(fmt.Sprint(got.Header["Set-Cookie"]), "Max-Age=43200") {
				t.Errorf("after a renewal: %d %v", got.StatusCode, got.Header["Set-Cookie"])
			}
		})
	}
}
