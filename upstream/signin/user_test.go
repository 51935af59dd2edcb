package signin_test

import (
	"errors"
	"strings"
	"testing"

	"coatcheck/upstream"
)

func userMapping(user string) string {
	return `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, refresh_token: /refresh, expires_in: /expires, own: /user/own, link: /link}
  user: ` + user + "\n"
}

// Where a person is described, what names them, and what is left out of what is kept.
func TestUser(t *testing.T) {
	token := jwt(`{"sub":"u1","role":"x"}`)
	for name, c := range map[string]struct {
		user, login, me string
		subject, want   string // want "": upstream_invalid
	}{
		"in the answer": {"{at: /user}", `{"token":"tok","user":{"id":5,"big":12345678901234567890,"html":"<&>"}}`, "",
			"5", `{"big":12345678901234567890,"html":"<&>","id":5}`},
		"the whole answer": {"{}", `{"token":"tok","refresh":"ref","expires":60,"id":"u1","user":{"own":"o","name":"Ada"}}`, "",
			"u1", `{"id":"u1","user":{"name":"Ada"}}`},
		"tokens elsewhere": {"{at: /user}", `{"token":"tok","refresh":"ref","user":{"id":1,"t":"tok","l":["ref",2,["Bearer tok"]],"o":{"r":"ref","k":1}}}`, "",
			"1", `{"id":1,"l":[null,2,[null]],"o":{"k":1}}`},
		"of a JWT":                 {"{from: jwt}", `{"token":"` + token + `"}`, "", "u1", `{"role":"x","sub":"u1"}`},
		"of another JWT":           {"{from: jwt, token: /id_token}", `{"token":"tok","id_token":"` + token + `"}`, "", "u1", `{"role":"x","sub":"u1"}`},
		"of a part of a JWT":       {"{from: jwt, at: /a, subject: /n}", `{"token":"` + jwt(`{"a":{"n":7}}`) + `"}`, "", "7", `{"n":7}`},
		"of no JWT":                {"{from: jwt}", `{"token":"a.b.c"}`, "", "", ""},
		"of a JWT that is no map":  {"{from: jwt}", `{"token":"` + jwt(`[1]`) + `"}`, "", "", ""},
		"asked for":                {"{from: request, path: /me, at: /data}", `{"token":"tok"}`, `{"data":{"id":"x","token":"tok"}}`, "x", `{"id":"x"}`},
		"asked for, own places":    {"{from: request, path: /me}", `{"token":"tok"}`, `{"id":"x","expires":1,"link":"y"}`, "x", `{"expires":1,"id":"x","link":"y"}`},
		"asked for, no object":     {"{from: request, path: /me}", `{"token":"tok"}`, `[1]`, "", ""},
		"asked for, refused":       {"{from: request, path: /refuse}", `{"token":"tok"}`, `{"id":1}`, "", ""},
		"not there":                {"{at: /user}", `{"token":"tok"}`, "", "", ""},
		"null":                     {"{at: /user}", `{"token":"tok","user":null}`, "", "", ""},
		"no usual subject":         {"{at: /user}", `{"token":"tok","user":{"name":"Ada"}}`, "", "", `{"name":"Ada"}`},
		"usual subject is null":    {"{at: /user}", `{"token":"tok","user":{"id":null}}`, "", "", `{"id":null}`},
		"no named subject":         {"{at: /user, subject: /uid}", `{"token":"tok","user":{"id":1}}`, "", "", ""},
		"named subject is null":    {"{at: /user, subject: /uid}", `{"token":"tok","user":{"uid":null}}`, "", "", ""},
		"named subject is empty":   {"{at: /user, subject: /uid}", `{"token":"tok","user":{"uid":""}}`, "", "", ""},
		"subject is no text":       {"{at: /user}", `{"token":"tok","user":{"id":{"a":1}}}`, "", "", ""},
		"subject is a truth value": {"{at: /user}", `{"token":"tok","user":{"id":true}}`, "", "", ""},
		"subject is far too long":  {"{at: /user}", `{"token":"tok","user":{"id":"` + strings.Repeat("x", 1025) + `"}}`, "", "", ""},
		"large number as subject":  {"{at: /user}", `{"token":"tok","user":{"id":12345678901234567890}}`, "", "12345678901234567890", `{"id":12345678901234567890}`},
	} {
		t.Run(name, func(t *testing.T) {
			second := reply{status: 200, body: c.me}
			if strings.Contains(c.user, "/refuse") {
				second.status = 401
			}
			u, _ := oneAPI(t, userMapping(c.user), reply{status: 200, body: c.login}, second)
			in, err := signIn(u)
			if c.want == "" {
				if !errors.Is(err, upstream.ErrInvalid) {
					t.Fatalf("accepted (%v)", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if in.Subject != c.subject || string(in.UserJSON()) != c.want {
				t.Errorf("%q is %s, want %q as %s", in.Subject, in.UserJSON(), c.subject, c.want)
			}
		})
	}
}

func TestNoUser(t *testing.T) {
	u, _ := oneAPI(t, plain, reply{status: 200, body: `{"token":"a","id":1}`})
	in, err := signIn(u)
	if err != nil || in.User != nil || in.UserJSON() != nil || in.Subject != "" {
		t.Fatalf("%+v %v", in, err)
	}
}

// A path that the API gives must stay under the upstream's url.
func TestGivenPath(t *testing.T) {
	for link, want := range map[string]string{
		"/base/users/5":       "/base/users/5",
		"/users/5":            "/base/users/5",
		"/users/5?full=1":     "/base/users/5?full=1",
		"/base":               "/base",
		"/basement":           "/base/basement",
		"/users/a%20b":        "/base/users/a%20b",
		"HERE/base/users/5":   "/base/users/5",
		"HERE/users/5":        "/base/users/5",
		"":                    "",
		"users/5":             "",
		"//evil.test/me":      "",
		"https://evil.test/":  "",
		"HERE.evil.test/me":   "",
		"HERE@evil.test/me":   "",
		"HERE//evil.test/me":  "",
		"/../admin":           "",
		"/base/../admin":      "",
		"/base/%2e%2e/admin":  "",
		"/base/%2E./admin":    "",
		"/base/..;x/admin":    "",
		"/base/..%2fadmin":    "",
		"/base/..\\\\admin":   "",
		"/base/%5c..%5cadmin": "",
		"/\\\\evil.test":      "",
		"/a#b":                "",
		"/a?b#c":              "",
		"/a b":                "",
		"/a%zz":               "",
		"/a%0d%0aX:y":         "",
		"/a%00":               "",
		"/a\\r\\nX: y":        "",
	} {
		t.Run(link, func(t *testing.T) {
			s := newStandIn(t, reply{status: 200}, reply{status: 200, body: `{"id":1}`})
			s.reply[0].body = `{"token":"tok","link":"` + strings.ReplaceAll(link, "HERE", s.URL) + `"}`
			cfg := parseMapping(t, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(userMapping(`{from: request, path: "{link}"}`)), "\n", "\n  "))
			s.at(cfg["api"]).URL += "/base"
			in, err := signIn(newSet(t, cfg).Get("api"))
			asked := s.questions()
			if want == "" {
				if !errors.Is(err, upstream.ErrInvalid) || len(asked) != 1 {
					t.Fatalf("%v, asked %d times", err, len(asked))
				}
				return
			}
			if err != nil || in.Subject != "1" || asked[1].uri != want || asked[1].header.Get("Authorization") != "Bearer tok" {
				t.Fatalf("%v, asked %s", err, asked[len(asked)-1].uri)
			}
		})
	}
}
