package server_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// stores are the houses that everything important is shown in.
func stores() map[string]settings {
	return map[string]settings{
		"memory":               {},
		"redis":                {store: redisURL},
		"redis, no near cache": {store: redisURL, near: "0s"},
	}
}

// toldOfSignOut waits for the API to be told of a sign-out, which is answered without that
// where it takes longer than a second.
func toldOfSignOut(t *testing.T, api *rig.API) (in rig.Received) {
	t.Helper()
	rig.Until(t, "the API to be told of the sign-out", func() bool { in = api.Last(t); return in.URI == "/auth/logout" })
	return in
}

// TestMainJob: a person signs in at a page, the page calls the API, the person signs
// out; the browser never holds anything but a ticket.
func TestMainJob(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			got := h.call("POST /bff/login\n\n"+loginBody("ada@x.test", rig.PasswordMark), shop, xcsrf, json_)
			h.want(got, 200, "")
			set := got.Header.Get("Set-Cookie")
			if !regexp.MustCompile(`^__Host-Http-shop=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; Secure; SameSite=Strict$`).MatchString(set) {
				t.Errorf("cookie: %s", set)
			}
			var doc map[string]any
			if err := json.Unmarshal([]byte(got.body), &doc); err != nil {
				t.Fatal(err)
			}
			user, _ := json.Marshal(doc["user"])
			if doc["authenticated"] != true || doc["frontend"] != "shop" || string(user) != `{"email":"ada@x.test","id":"ada@x.test"}` || doc["idle_expires_in"].(float64) < 1700 || doc["expires_in"].(float64) < 43000 {
				t.Errorf("document: %s", got.body)
			}
			if in := h.api.Last(t); in.Method+in.URI != "POST/auth/login" || in.Body != `{"email":"ada@x.test","password":"`+rig.PasswordMark+`"}` || in.Header.Get("Cookie") != "" {
				t.Errorf("API saw %+v", in)
			}
			cookie := "Cookie: " + cookieOf(t, got)

			got = h.call("GET /api/items?b=2&a=1&a=1", cookie, sameOrign)
			h.want(got, 200, "")
			if in := h.api.Last(t); in.URI != "/api/items?b=2&a=1&a=1" || in.Header.Get("Authorization") != "Bearer "+rig.TokenMark+"1" || in.Header.Get("Cookie") != "" {
				t.Errorf("API saw %+v", in)
			}
			if got.Header.Get("Set-Cookie") != "" || !strings.HasPrefix(got.Header.Get("Coatcheck-Idle-Expires-In"), "17") {
				t.Errorf("answer: %v", got.Header)
			}

			got = h.call("GET /bff/session", cookie, sameOrign)
			if !strings.Contains(got.body, `"authenticated":true`) || got.Header.Get("Set-Cookie") != "" {
				t.Errorf("session: %s", got.body)
			}

			got = h.call("POST /bff/logout", cookie, shop, xcsrf)
			h.want(got, 204, "")
			if set := got.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "__Host-Http-shop=;") || !strings.Contains(strings.ToLower(set), "expires=") || got.Header.Get("Clear-Site-Data") != `"cache"` {
				t.Errorf("sign-out: %v", got.Header)
			}
			if in := toldOfSignOut(t, h.api); in.Body != `{"refresh_token":"`+rig.RefreshMark+`1"}` {
				t.Errorf("API saw %+v", in)
			}
			got = h.call("GET /api/items", cookie, sameOrign)
			h.want(got, 401, "session_expired")
			if !strings.Contains(got.body, `"reason":"signed_out"`) || got.Header.Get("Set-Cookie") != "" {
				t.Errorf("dead ticket: %v %s", got.Header, got.body)
			}
			got = h.call("GET /bff/session", cookie, sameOrign)
			if got.body != `{"authenticated":false,"reason":"signed_out"}` {
				t.Errorf("session: %s", got.body)
			}
			h.want(h.call("POST /bff/logout", cookie, shop, xcsrf), 204, "")
			h.want(h.call("POST /bff/logout", shop, xcsrf), 204, "")
		})
	}
}

// TestTwoPeopleOneBrowser: two frontends on one shared host, two cookies in one jar,
// two people; neither sign-in nor sign-out of one touches the other.
func TestTwoPeopleOneBrowser(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			ada := h.signIn("ada@x.test", desk, apiHost, sameSite)
			bob := h.signIn("bob@x.test", till, apiHost, sameSite)
			jar := ada + "; " + strings.TrimPrefix(bob, "Cookie: ")
			for range 3 {
				h.want(h.call("GET /api/who", jar, desk, apiHost, sameSite), 200, "")
				if got := h.api.Last(t).Header.Get("Authorization"); got != "Bearer "+rig.TokenMark+"1" {
					t.Errorf("desk's call carried %s", got)
				}
				h.want(h.call("GET /api/who", jar, till, apiHost, sameSite), 200, "")
				if got := h.api.Last(t).Header.Get("Authorization"); got != "Bearer "+rig.TokenMark+"2" {
					t.Errorf("till's call carried %s", got)
				}
			}
			h.want(h.call("POST /bff/logout", jar, desk, apiHost, sameSite, xcsrf), 204, "")
			h.want(h.call("GET /api/who", jar, desk, apiHost, sameSite), 401, "session_expired")
			h.want(h.call("GET /api/who", jar, till, apiHost, sameSite), 200, "")
			got := h.call("GET /bff/session", jar, till, apiHost, sameSite)
			if !strings.Contains(got.body, `"user":{"id":"bob@x.test"}`) {
				t.Errorf("till: %s", got.body)
			}
		})
	}
}

// TestTicketIsBoundToFrontend: a ticket under another frontend's cookie name opens nothing.
func TestTicketIsBoundToFrontend(t *testing.T) {
	h := open(t, settings{store: redisURL})
	ada := h.signIn("ada@x.test", desk, apiHost, sameSite)
	moved := replaced(ada, "__Host-Http-desk=", "__Host-Http-till=")
	h.want(h.call("GET /api/who", moved, till, apiHost, sameSite), 401, "session_expired")
	h.want(h.call("GET /api/who", ada, desk, apiHost, sameSite), 200, "")
}

// TestSignInReplaces: a new sign-in over a live ticket ends the old session, and a
// failed one changes nothing.
func TestSignInReplaces(t *testing.T) {
	h := open(t, settings{store: redisURL})
	first := h.signIn("ada@x.test")
	h.want(h.call("POST /bff/login\n\n"+loginBody("ada@x.test", "wrong"), first, shop, xcsrf, json_), 401, "invalid_credentials")
	h.want(h.call("GET /api/who", first, sameOrign), 200, "")
	second := h.signIn("ada@x.test", shop, first)
	if first == second {
		t.Fatal("the same ticket again")
	}
	h.want(h.call("GET /api/who", first, sameOrign), 401, "session_expired")
	h.want(h.call("GET /api/who", second, sameOrign), 200, "")
}

// TestSessionsOfOnePerson: the list, ending one, ending all others, and nobody else's.
func TestSessionsOfOnePerson(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h := open(t, s)
			first, second, third := h.signIn("ada@x.test", shop, "User-Agent: one"), h.signIn("ada@x.test"), h.signIn("ada@x.test")
			stranger := h.signIn("eve@x.test")
			var list []struct {
				ID, Address string
				Current     bool
				UserAgent   string `json:"user_agent"`
			}
			got := h.call("GET /bff/sessions", first, sameOrign)
			if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list) != 3 {
				t.Fatalf("list: %s", got.body)
			}
			current := 0
			for _, e := range list {
				if e.Current {
					current++
					if e.UserAgent != "one" || e.Address != "127.0.0.1" {
						t.Errorf("entry: %+v", e)
					}
					h.want(h.call("DELETE /bff/sessions/"+e.ID, stranger, shop, xcsrf), 404, "not_found")
					got := h.call("DELETE /bff/sessions/"+e.ID, first, shop, xcsrf)
					h.want(got, 204, "")
					if got.Header.Get("Set-Cookie") == "" {
						t.Error("ending the current session left the cookie")
					}
				}
			}
			if current != 1 {
				t.Errorf("current sessions: %d", current)
			}
			h.want(h.call("GET /api/who", first, sameOrign), 401, "session_expired")
			h.want(h.call("GET /api/who", third, sameOrign), 200, "")
			h.want(h.call("DELETE /bff/sessions", second, shop, xcsrf), 204, "")
			got = h.call("GET /api/who", third, sameOrign)
			h.want(got, 401, "session_expired")
			if !strings.Contains(got.body, `"reason":"revoked"`) {
				t.Errorf("reason: %s", got.body)
			}
			h.want(h.call("GET /api/who", second, sameOrign), 200, "")
			h.want(h.call("GET /api/who", stranger, sameOrign), 200, "")
		})
	}
}
