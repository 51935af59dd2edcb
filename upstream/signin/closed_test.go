package signin_test

import (
	"slices"
	"testing"

	"coatcheck/upstream/mapping"
)

const closedMapping = `api:
  url: https://api.example.net/base
  private_paths: [/internal, /Reports/Secret/]
  login:
    request: {path: /auth/login, body: {e: "{email}", p: "{password}"}}
    credential: {access_token: /token, uid: /uid}
    user: {from: request, path: /me}
    answers: [{at: /mfa, step: otp}]
    steps: {otp: {fields: [otp], request: {path: "/auth/mfa:verify/", body: {o: "{otp}"}}}}
  refresh: {request: {upstream: id, path: /token, body: {t: "{access_token}"}}}
  logout: {request: {path: "/users/{uid}/log%20out"}}
  verify: {request: {path: /alive}}
id:
  url: https://id.example.net
same:
  url: https://API.example.net:443/
`

// The paths of a mapping's requests are closed to routes, user and verify excepted.
func TestClosed(t *testing.T) {
	set := newSet(t, parseMapping(t, closedMapping))
	for path, closed := range map[string]bool{
		"/auth/login":              true,
		"/auth/login?x=1":          true,
		"/auth/login/":             true,
		"//auth///login":           true,
		"/AUTH/Login":              true,
		"/auth/login;v=1":          true,
		"/auth;a=b/login;c":        true,
		"/auth/;x/login":           true,
		"/%61uth/l%6Fgin":          true,
		"/auth/login%3Bx":          true,
		"/auth%2Flogin":            true,
		"/auth%5Clogin":            true,
		"/auth%5clogin%5C":         true,
		"/auth%255Clogin":          false,
		"/users/a%5Cb/log%20out":   true,
		"/auth/lo\u017fin":         false,
		"/auth/mfa:verify":         true,
		"/auth/mfa%3Averify/":      true,
		"/users/5/log%20out":       true,
		"/users/any/LOG%20OUT":     true,
		"/users/5/6/log%20out":     false,
		"/users/5":                 false,
		"/internal":                true,
		"/internal/deep/er":        true,
		"/internally":              false,
		"/reports/secret/x":        true,
		"/reports":                 false,
		"/me":                      false,
		"/alive":                   false,
		"/auth":                    false,
		"/auth/login/history":      false,
		"/auth/logins":             false,
		"/auth/%256Cogin":          false,
		"/token":                   false, // that of the other upstream
		"/":                        false,
		"":                         false,
		"/auth/login%":             false, // no escape: never arrives as that path
		"/x/auth/login":            false,
		"/base/auth/login":         false,
		"/auth/log\u0131n":         true, // some take it for an i
		"/auth/login%20":           true,
		"/users/%7Bx%7D/log%20out": true,
	} {
		if got := set.Get("api").Closed([]byte(path)); got != closed {
			t.Errorf("%q closed: %v", path, got)
		}
	}
	if !set.Get("id").Closed([]byte("/token")) || set.Get("id").Closed([]byte("/auth/login")) {
		t.Error("a refresh that goes elsewhere closes the path there")
	}
	if !set.Get("same").Closed([]byte("/base/auth/login")) || set.Get("same").Closed([]byte("/base/internal")) {
		t.Error("another name for the same API is no way around")
	}
}

// One path per letter that some system holds for another letter of "login".
func TestClosedFoldsCase(t *testing.T) {
	u := newSet(t, parseMapping(t, `api:
  url: https://api.example.net
  login: {request: {path: /sign/kiosk, body: {e: "{email}", p: "{password}"}}, credential: {access_token: /t}}
`)).Get("api")
	for _, path := range []string{"/SIGN/KIOSK", "/sign/\u212aiosk", "/%C5%BFign/kio%C5%BFk"} {
		if !u.Closed([]byte(path)) {
			t.Errorf("%q is open", path)
		}
	}
}

// What `send` names never comes from the browser, and what it takes never goes to it.
func TestNames(t *testing.T) {
	const text = `
login:
  request: {path: /login, body: {e: "{email}", p: "{password}"}}
  credential: {access_token: {header: Access-Token}, client: {header: Client}, uid: {header: Uid}, c: {cookie: C}}
refresh: {request: {path: /refresh, body: {t: "{access_token}"}}, credential: {access_token: {header: New-Token}}}
send: {headers: {access-token: "{access_token}", Client: "{client}", X-Api: key, Cookie: "C={c}"}, hide: [X-Fallback-Cookies]}
`
	u, _ := oneAPI(t, text, reply{})
	if got, want := u.SendNames(), []string{"access-token", "client", "cookie", "x-api"}; !slices.Equal(got, want) {
		t.Errorf("send %q", got)
	}
	if got, want := u.HiddenNames(), []string{"access-token", "client", "cookie", "new-token", "x-fallback-cookies"}; !slices.Equal(got, want) {
		t.Errorf("hidden %q", got)
	}
	u, _ = oneAPI(t, plain, reply{})
	if got := u.SendNames(); !slices.Equal(got, []string{"authorization"}) || !slices.Equal(u.HiddenNames(), got) {
		t.Errorf("default send %q, hidden %q", got, u.HiddenNames())
	}
}

// A token that is taken at one upstream and carried to another is hidden at both.
func TestNamesOfAnother(t *testing.T) {
	set := newSet(t, parseMapping(t, `id:
  url: https://id.example.net
  login: {request: {path: /login, body: {e: "{email}", p: "{password}"}}, credential: {access_token: {header: Access-Token}, other: {header: Other}}}
api:
  url: https://api.example.net
`))
	if got := set.Get("api").HiddenNames(); !slices.Equal(got, []string{"access-token", "authorization"}) {
		t.Errorf("hidden %q", got)
	}
}

// A line of `send` without its value is left out, and one with an unfit value too.
// TestSendOfTheCaller: built-in names in `send` are filled in on proxied calls too, and
// what a browser says of itself ends no line.
func TestSendOfTheCaller(t *testing.T) {
	u, _ := oneAPI(t, `
send: {headers: {X-Client: "{client_address}", X-Agent: "a {user_agent}", X-Id: "{request_id}", X-Token: "{access_token}"}}
login: {request: {path: /login, body: {email: "{email}", password: "{password}"}}, credential: {access_token: /token}}
`, reply{})
	who := browser()
	who.UserAgent, who.RequestID = "Moz\r\nX-Evil: 1 é", "r1"
	want := "X-Agent: a MozX-Evil: 1\r\nX-Client: 203.0.113.9\r\nX-Id: r1\r\nX-Token: t\r\n"
	if got := string(u.AppendSend(nil, holding("access_token", "t"), who)); got != want || !u.SendsCaller() {
		t.Errorf("sends %q", got)
	}
	if plainly, _ := oneAPI(t, plain, reply{}); plainly.SendsCaller() {
		t.Error("the default names the caller")
	}
}

func TestAppendSend(t *testing.T) {
	const text = `
login: {request: {path: /login, body: {e: "{email}", p: "{password}"}}, credential: {access_token: /t, uid: /u}}
send: {headers: {apikey: K, Authorization: "Token {access_token}", X-Both: "{uid}/{access_token}"}}
`
	u, _ := oneAPI(t, text, reply{})
	for name, c := range map[string]struct{ values, want []string }{
		"all":      {[]string{"access_token", "t", "uid", "5"}, []string{"Authorization: Token t", "X-Both: 5/t", "apikey: K"}},
		"no uid":   {[]string{"access_token", "t"}, []string{"Authorization: Token t", "apikey: K"}},
		"unfit":    {[]string{"access_token", "t", "uid", "5\r\nX-Evil: 1"}, []string{"Authorization: Token t", "apikey: K"}},
		"nothing":  {nil, []string{"apikey: K"}},
		"a number": {[]string{"access_token", "t", "uid", "\x0112"}, []string{"Authorization: Token t", "X-Both: 12/t", "apikey: K"}},
	} {
		want := "before"
		for _, line := range c.want {
			want += line + "\r\n"
		}
		if got := string(u.AppendSend([]byte("before"), holding(c.values...), mapping.Caller{})); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := string(u.AppendSend(nil, nil, mapping.Caller{})); got != "apikey: K\r\n" {
		t.Errorf("without a credential %q", got)
	}
}
