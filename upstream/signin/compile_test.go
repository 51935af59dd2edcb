package signin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/forward"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// What check should have refused is refused here as well, and names where it stands.
func TestNewRefuses(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(change func(*mapping.Request)) *configs.Upstream {
		r := &mapping.Request{Path: "/x"}
		change(r)
		return &configs.Upstream{URL: "https://api.example.net", Logout: &configs.Logout{Request: r}}
	}
	login := func(change func(*configs.Login)) *configs.Upstream {
		l := &configs.Login{Request: &mapping.Request{Path: "/x"}, Credential: map[string]mapping.Place{"access_token": {Pointer: "/t"}}}
		change(l)
		return &configs.Upstream{URL: "https://api.example.net", Login: l}
	}
	for name, c := range map[string]struct {
		upstream *configs.Upstream
		says     string
	}{
		"no scheme":        {&configs.Upstream{URL: "api.example.net"}, "upstreams.api"},
		"other scheme":     {&configs.Upstream{URL: "ftp://api.example.net"}, "scheme"},
		"query":            {&configs.Upstream{URL: "https://api.example.net/?a=b"}, "upstreams.api"},
		"no CA":            {&configs.Upstream{URL: "https://api.example.net", UpstreamTransport: configs.UpstreamTransport{CA: noPEM + ".missing"}}, "ca"},
		"empty CA":         {&configs.Upstream{URL: "https://api.example.net", UpstreamTransport: configs.UpstreamTransport{CA: noPEM}}, "ca"},
		"half a client":    {&configs.Upstream{URL: "https://api.example.net", UpstreamTransport: configs.UpstreamTransport{ClientCert: noPEM}}, "client_cert"},
		"no request":       {&configs.Upstream{URL: "https://api.example.net", Logout: &configs.Logout{}}, "logout"},
		"relative path":    {ask(func(r *mapping.Request) { r.Path = "x" }), "path"},
		"query in path":    {ask(func(r *mapping.Request) { r.Path = "/x?y" }), "path"},
		"unknown upstream": {ask(func(r *mapping.Request) { r.Upstream = "id" }), "request.upstream"},
		"one basic":        {ask(func(r *mapping.Request) { r.Basic = make([]mapping.Template, 1) }), "basic"},
		"nested form": {ask(func(r *mapping.Request) {
			r.Encoding, r.Body = "form", mapping.NewBody(map[string]any{"a": map[string]any{}})
		}), "form"},
		"list in a form":   {ask(func(r *mapping.Request) { r.Encoding, r.Body = "form", mapping.NewBody([]any{"a"}) }), "form"},
		"no access token":  {login(func(l *configs.Login) { l.Credential = nil }), "access_token"},
		"bad pointer":      {login(func(l *configs.Login) { l.Credential["own"] = mapping.Place{Pointer: "own"} }), "credential.own"},
		"bad escape":       {login(func(l *configs.Login) { l.Credential["own"] = mapping.Place{Pointer: "/a~2"} }), "pointer"},
		"bad user pointer": {login(func(l *configs.Login) { l.User = &configs.User{At: "user"} }), "login.user"},
		"bad answer":       {login(func(l *configs.Login) { l.Answers = []mapping.Rule{{At: &mapping.Place{Pointer: "x"}}} }), "login"},
		"step that is not": {login(func(l *configs.Login) { l.Answers = []mapping.Rule{{Status: 401, Step: "otp"}} }), "otp"},
		"empty step":       {login(func(l *configs.Login) { l.Steps = map[string]*configs.Step{"otp": nil} }), "otp"},
		"step without path": {login(func(l *configs.Login) {
			l.Steps = map[string]*configs.Step{"otp": {Request: &mapping.Request{}, Answers: &l.Answers}}
		}), "otp"},
	} {
		_, err := signin.New(map[string]*configs.Upstream{"api": c.upstream, "ok": {URL: "https://ok.example.net"}}, signin.Options{})
		if err == nil || !strings.Contains(err.Error(), "upstreams.api") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What an upstream says about itself, with defaults and without a mapping.
func TestUpstreamTellsWhatItCan(t *testing.T) {
	set := newSet(t, map[string]*configs.Upstream{"bare": {URL: "http://127.0.0.1:1"}})
	bare := set.Get("bare")
	if set.Get("other") != nil || bare.Name() != "bare" || bare.Ways.CanSignIn() || bare.CanRefresh() || bare.CanSignOut() || bare.Renews(nil) ||
		bare.RefreshBefore() != 0 || bare.RefreshTimeout() != 0 || bare.Follows() || bare.Closed([]byte("/x")) {
		t.Error("a bare upstream can do something")
	}
	if in, err := signIn(bare); fate(in, err) != "upstream_invalid" {
		t.Error(err)
	}
	if _, err := bare.Refresh(t.Context(), holding("refresh_token", "r"), browser(), now); fate(nil, err) != "upstream_invalid" {
		t.Error(err)
	}
	if err := bare.SignOut(t.Context(), nil, browser()); err != nil {
		t.Error(err)
	}
	u, _ := oneAPI(t, plain, reply{})
	if !u.Ways.CanSignIn() || !u.CanRefresh() || !u.CanSignOut() || u.RefreshBefore() != 30*time.Second || u.RefreshTimeout() != 10*time.Second {
		t.Error("defaults are not the contract's")
	}
	if u.Renews(holding("access_token", "a")) || !u.Renews(holding("refresh_token", "r")) {
		t.Error("renews without a refresh token")
	}
}

// Some APIs renew a token with the token itself.
func TestTokenThatRenewsItself(t *testing.T) {
	const text = `
login: {request: {path: /login, body: {email: "{email}", password: "{password}"}}, credential: {access_token: /token}}
refresh: {request: {path: /refresh, headers: {Authorization: "Bearer {access_token}"}}, before: 10m}
`
	u, api := oneAPI(t, text, reply{status: 200, body: `{"token":"a2"}`})
	if !u.Renews(holding("access_token", "a")) || u.RefreshBefore() != 10*time.Minute {
		t.Fatal("does not renew")
	}
	next, err := u.Refresh(t.Context(), holding("access_token", "a"), browser(), now)
	if err != nil || next.Value(credential.AccessToken).Reveal() != "a2" || api.questions()[0].header.Get("Authorization") != "Bearer a" {
		t.Error(err)
	}
}

// The forwarder dials the same host, trusts the same authorities and waits as long.
func TestForwardOptions(t *testing.T) {
	s := newStandIn(t, reply{status: 200, body: "hello"})
	u := plainAt(t, s.URL+"/base", func(c *configs.Upstream) { c.CA, c.ConnectTimeout = s.ca, 61*time.Second })
	o := u.ForwardOptions()
	if o.Dialer.Timeout != 61*time.Second {
		t.Errorf("%+v", o)
	}
	f, err := forward.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got forward.Response
	if err := f.Do(&forward.Call{Head: []byte("GET / HTTP/1.1\r\nHost: x\r\n"), Idempotent: true}, &got); err != nil || string(got.Complete) != "hello" {
		t.Errorf("%q, %v", got.Complete, err)
	}
	_ = got.Close()
}
