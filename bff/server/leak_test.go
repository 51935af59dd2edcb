package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/rig"
)

// TestLeak is the conscience: with marked token, ticket and password through every
// path and error, nothing that Coatcheck writes holds one of them.
func TestLeak(t *testing.T) {
	h := open(t, settings{store: redisURL})
	cookie := h.signIn("ada-MARKED@x.test")
	ticket := strings.TrimPrefix(cookie, "Cookie: __Host-Http-shop=")
	var seen strings.Builder
	note := func(a answer) {
		seen.WriteString(a.Status + "\n")
		_ = a.Header.Write(&seen)
		seen.WriteString(a.body + "\n")
	}
	requests := []string{"GET /api/x", "GET /bff/session", "POST /bff/session", "GET /bff/sessions", "GET /nothing", "GET /api/../x", "GET /api/" + ticket, "POST /v/x", "GET /gone/x", "TRACE /x", "GET /nothing?token=" + ticket,
		"POST /bff/login\n\n" + loginBody("ada-MARKED@x.test", "wrong-"+rig.PasswordMark), "POST /bff/login\n\n" + rig.PasswordMark, "POST /api/x\n\n" + strings.Repeat(rig.PasswordMark, 200)}
	headers := [][]string{{cookie, shop, xcsrf, json_}, {cookie, "X-Bad: a\x01" + ticket}, {cookie, "Origin: https://" + ticket}, {cookie + "; __Host-Http-shop=x", xcsrf}, {"Cookie: __Host-Http-shop=" + ticket + "x", xcsrf}, {cookie, "Host: " + ticket + ".test"}}
	for _, request := range requests {
		for _, set := range headers {
			note(h.call(request, set...))
		}
	}
	for _, broken := range []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write([]byte("x")) },
		func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + ` "}`))
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/?"+rig.TokenMark)
			w.WriteHeader(302)
		},
	} {
		h.api.Say(broken)
		note(h.call("POST /bff/login\n\n"+loginBody("ada-MARKED@x.test", rig.PasswordMark), shop, xcsrf, json_))
		note(h.call("GET /bff/session", cookie, sameOrign))
	}
	h.api.Say(nil)
	h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
	dump := dumpRedis(t)
	note(h.call("POST /bff/logout", cookie, shop, xcsrf))
	for what, text := range map[string]string{"answers": seen.String(), "log": h.logs.String(), "store": dump} {
		for name, mark := range map[string]string{"token": rig.TokenMark, "refresh token": rig.RefreshMark, "password": rig.PasswordMark, "ticket": ticket} {
			// A path that somebody filled with a ticket is theirs to log.
			text := strings.ReplaceAll(text, "/api/"+ticket, "")
			if i := strings.Index(text, mark); i >= 0 {
				t.Errorf("%s: the %s stands in: …%s…", what, name, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	if strings.Contains(dump, "MARKED@") || strings.Contains(h.logs.String(), "MARKED@") {
		t.Error("the person's address stands in the store or the log")
	}
	if len(dump) < 100 || len(h.logs.String()) < 1000 {
		t.Error("nothing was searched")
	}
}

// dumpRedis returns every key and value of the store.
func dumpRedis(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	var b strings.Builder
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		b.WriteString(key + "\n")
		for _, read := range []func() string{
			func() string { return c.Get(ctx, key).Val() },
			func() string { return strings.Join(c.HVals(ctx, key).Val(), "\n") },
			func() string { return strings.Join(c.ZRange(ctx, key, 0, -1).Val(), "\n") },
			func() string { return strings.Join(c.SMembers(ctx, key).Val(), "\n") },
		} {
			b.WriteString(read() + "\n")
		}
	}
	return b.String()
}
