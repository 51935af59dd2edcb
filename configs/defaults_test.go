package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

func mustParse(t *testing.T, content string) *configs.Config {
	t.Helper()
	c, faults := parse(content, nil)
	if c == nil {
		t.Fatal(faults)
	}
	return c
}

// The defaults that stand in the contract.
func TestDefaults(t *testing.T) {
	c := mustParse(t, small(""))
	shop, api := c.Frontends["shop"], c.Upstreams["api"]
	for what, pair := range map[string][2]any{
		"listen":         {c.Listen, ":8080"},
		"admin":          {c.Admin.Listen, "127.0.0.1:9090"},
		"admin token":    {c.Admin.Token.IsEmpty(), true},
		"health path":    {c.HealthPath, ""},
		"tls":            {c.TLS == nil, true},
		"proxies":        {len(c.TrustedProxies), 0},
		"log":            {c.Log.Level, "info"},
		"drain":          {c.Drain, configs.Drain{Delay: 5 * time.Second, Timeout: 30 * time.Second}},
		"limits":         {c.Limits, configs.Limits{Header: 16 << 10, HeaderTimeout: 10 * time.Second, BodyIdle: 30 * time.Second, KeepAlive: 75 * time.Second}},
		"prefix":         {c.Sessions.Prefix, "coatcheck"},
		"idle":           {c.Sessions.IdleTimeout, 30 * time.Minute},
		"lifetime":       {c.Sessions.MaxLifetime, 12 * time.Hour},
		"near cache":     {c.Sessions.NearCache, time.Second},
		"per person":     {c.Sessions.MaxPerPerson, 0},
		"cookie":         {shop.Cookie, configs.Cookie{Name: "__Host-Http-shop", SameSite: "strict"}},
		"hsts":           {shop.HSTS, 8760 * time.Hour},
		"throttle":       {shop.Throttle, configs.Throttle{Account: 10, Address: 100, Window: 5 * time.Minute}},
		"csrf":           {shop.CSRFHeader, "unsafe"},
		"connect":        {api.ConnectTimeout, 3 * time.Second},
		"login timeout":  {api.Login.Timeout, 10 * time.Second},
		"login method":   {api.Login.Request.Method, "POST"},
		"login encoding": {api.Login.Request.Encoding, "json"},
		"login rejected": {fmt.Sprint(api.Login.Rejected), "[400 401 403 422]"},
		"user":           {api.Login.User.From, "response"},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestRouteDefaults(t *testing.T) {
	c := mustParse(t, strings.Replace(small(""), "upstreams:", "upstreams:\n  other: {url: \"https://other.example.net\"}", 1)+`
    routes:
      - {path: /api/, upstream: api}
      - {path: /other/, upstream: other}
      - {path: /open/, upstream: api, session: none}
      - {path: /keep/, upstream: api, send_token: false, rewrite: /}
`)
	routes := c.Frontends["shop"].Routes
	r := *routes[0]
	r.SendToken = nil
	want := configs.Route{Path: "/api/", Upstream: "api", Methods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, Session: "required",
		EncodedSlash: "refuse", Navigation: "refuse", HeaderTimeout: 30 * time.Second, IdleTimeout: 5 * time.Minute, MaxBody: 32 << 20, Isolate: true, Guard: true, Extend: true}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("route %+v, want %+v", r, want)
	}
	for i, want := range []bool{true, false, false, false} {
		if got := routes[i].SendToken; got == nil || *got != want {
			t.Errorf("route %d sends the token: %v, want %v", i, got, want)
		}
	}
	if routes[3].Rewrite == nil || *routes[3].Rewrite != "/" {
		t.Error("rewrite was lost")
	}
}

// mapped is a configuration whose upstream continues with more.
func mapped(t *testing.T, login, more string) *configs.Upstream {
	t.Helper()
	content := strings.Replace(small(""), "      credential: {access_token: /token}\n", "      credential: {access_token: /token, refresh_token: /refresh}\n"+login, 1)
	return mustParse(t, strings.Replace(content, "frontends:", more+"frontends:", 1)).Upstreams["api"]
}

func TestAnswersEmptyTheDefaultOfRejected(t *testing.T) {
	const named = "      answers: [{at: /e, is: x, means: account_locked}]\n"
	for login, want := range map[string]string{
		"": "[400 401 403 422]", named: "[]", named + "      rejected: [401]\n": "[401]", "      rejected: []\n": "[]",
	} {
		if got := fmt.Sprint(mapped(t, login, "").Login.Rejected); got != want {
			t.Errorf("%q: rejected %s, want %s", login, got, want)
		}
	}
}

// Only what clearly says "this refresh token is dead" may end a session.
func TestRefreshDefault(t *testing.T) {
	const request = "    refresh:\n      request: {path: /refresh, body: {t: \"{refresh_token}\"}}\n"
	r := mapped(t, "", request).Refresh
	if len(r.Rejected) != 0 || len(r.Answers) != 2 || r.Before != 30*time.Second {
		t.Fatalf("%+v", r)
	}
	for i, status := range []int{400, 401} {
		a := r.Answers[i]
		if a.Status != status || a.At.Pointer != "/error" || !reflect.DeepEqual(a.Is.Values, []any{"invalid_grant"}) || a.Means != "session_expired" {
			t.Errorf("%+v", a)
		}
	}
	if r.Credential["access_token"].Pointer != "/token" {
		t.Error("login's places do not serve refresh")
	}
	if r = mapped(t, "", request+"      rejected: [401]\n").Refresh; len(r.Answers) != 0 || len(r.Rejected) != 1 {
		t.Errorf("rejected is named, but %+v", r)
	}
	r = mapped(t, "", request+"      answers: [{status: 400, means: session_expired}]\n      credential: {access_token: /t}\n").Refresh
	if len(r.Answers) != 1 || len(r.Rejected) != 0 || r.Credential["access_token"].Pointer != "/t" {
		t.Errorf("answers and credential are named, but %+v", r)
	}
}

func TestStepsTakeLoginsRules(t *testing.T) {
	l := mapped(t, `      answers: [{at: /mfa, step: otp}]
      rejected: [401]
      steps:
        otp: {fields: [otp], keep: {m: /mfa}, request: {path: /otp, body: {o: "{otp}", m: "{m}"}}}
        own: {fields: [], answers: [], rejected: [], credential: {access_token: /x}, request: {method: PUT, path: /own}}
`, "").Login
	otp, own := l.Steps["otp"], l.Steps["own"]
	if otp.Request.Method != "POST" || fmt.Sprint(otp.Rejected) != "[401]" || len(*otp.Answers) != 1 || otp.Credential["access_token"].Pointer != "/token" {
		t.Errorf("otp %+v", otp)
	}
	if own.Request.Method != "PUT" || len(own.Rejected) != 0 || len(*own.Answers) != 0 || own.Credential["access_token"].Pointer != "/x" {
		t.Errorf("own %+v", own)
	}
}

func TestVerifyDefaults(t *testing.T) {
	v := mapped(t, "", "    verify: {request: {path: /me}}\n").Verify
	if fmt.Sprintf("%v %v %s %s", v.After, v.Rejected, v.Request.Method, v.Timeout) != "[401] [401] GET 10s" {
		t.Errorf("%+v", v)
	}
	v = mapped(t, "", "    verify: {request: {path: /me}, answers: [{at: /dead, means: session_expired}]}\n").Verify
	if len(v.Rejected) != 0 {
		t.Error("answers are named, and rejected is still", v.Rejected)
	}
}

func TestSubjectAndSendDefaults(t *testing.T) {
	for user, want := range map[string]string{
		"{at: /user}": "/id false", "{from: jwt}": "/sub false", "{from: request, path: /me}": "/id false", "{from: jwt, subject: /user_id}": "/user_id true",
	} {
		c := mustParse(t, strings.Replace(small(""), "user: {at: /user}", "user: "+user, 1))
		pointer, named := c.Upstreams["api"].Login.User.SubjectPointer()
		if got := fmt.Sprint(pointer, " ", named); got != want {
			t.Errorf("%s: %s, want %s", user, got, want)
		}
	}
	for send, want := range map[string]string{
		"": "Bearer {access_token} false", "    send: {hide: [X-A]}\n": "Bearer {access_token} false",
		"    send: {headers: {Authorization: \"Token {access_token}\"}}\n": "Token {access_token} true",
		"    send: {query: {token: \"{access_token}\"}}\n":                 " true", "    send: {cookie: {sid: \"{access_token}\"}}\n": " true",
		"    send: {query: {format: json}, cookie: {lang: en}, socket: {json: {a: \"{access_token}\"}}}\n": "Bearer {access_token} false",
	} {
		content := small("")
		i, j := strings.Index(content, "    send:"), strings.Index(content, "    login:")
		headers, named := mustParse(t, content[:i]+send+content[j:]).Upstreams["api"].SendHeaders()
		if got := fmt.Sprint(headers["Authorization"].Reveal(), " ", named); got != want {
			t.Errorf("%q: %s, want %s", send, got, want)
		}
	}
}

func TestFileNamesAreRelativeToTheConfiguration(t *testing.T) {
	folder := t.TempDir()
	content := strings.Replace(small("tls: {cert: a.crt, key: /etc/a.key}"), "    login:\n", "    ca: ca/own.pem\n    login:\n", 1) + "\n    spa: {dir: dist}\n"
	path := filepath.Join(folder, "coatcheck.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	c, faults := read.File(path, environment)
	if c == nil {
		t.Fatal(faults)
	}
	got := []string{c.TLS.Cert, c.TLS.Key, c.Upstreams["api"].CA, c.Frontends["shop"].SPA.Dir}
	want := []string{folder + "/a.crt", "/etc/a.key", folder + "/ca/own.pem", folder + "/dist"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

func TestUpstreamURLHasNoTrailingSlash(t *testing.T) {
	c := mustParse(t, strings.Replace(small(""), "https://api.example.net", "https://api.example.net/base/", 1))
	if got := c.Upstreams["api"].URL; got != "https://api.example.net/base" {
		t.Error(got)
	}
}
