// Package adapters says, for each product, how it is started and where its doors are.
// Each is given the safest settings that its own documentation names.
package adapters

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/toy"
	"coatcheck/bff/conformance/world"
	"coatcheck/bff/rig"
)

// All are the adapters, in the order of the report.
func All() []suite.Adapter {
	return []suite.Adapter{
		{Name: "coatcheck-form", About: "Coatcheck, sign-in by form, each frontend on its own host", Start: func(w *world.World) (*suite.Subject, error) { return coatcheck(w, true, false, life{}) }},
		{Name: "coatcheck-provider", About: "Coatcheck, sign-in at a provider", Start: func(w *world.World) (*suite.Subject, error) { return coatcheck(w, false, false, life{}) }},
		{Name: "coatcheck-shared", About: "Coatcheck, sign-in by form, two frontends on one shared host", Start: func(w *world.World) (*suite.Subject, error) { return coatcheck(w, true, true, life{}) }},
		{Name: "oauth2-proxy", About: "oauth2-proxy, by go install", Start: oauth2Proxy},
		{Name: "express", About: "express-openid-connect with http-proxy-middleware, by npm", Start: express},
		{Name: "mod_auth_openidc", About: "mod_auth_openidc behind Apache, Debian packages", Start: modAuth},
		{Name: "approuter", About: "@sap/approuter, by npm", Start: approuter},
		{Name: "duende", About: "Duende BFF", Start: duende, NotRun: notRun},
		{Name: "curity", About: "Curity's OAuth agent and OAuth proxy", Start: curity, NotRun: notRun},
		{Name: "spring", About: "Spring Cloud Gateway with Spring Security's OAuth 2.0 client", Start: spring, NotRun: notRun},
		toy.Adapter("toy-form", true, false), toy.Adapter("toy-provider", false, false), toy.Adapter("toy-shared", true, true),
	}
}

// root is the folder of the main module.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// build makes the program in a world's folder.
func build(w *world.World) (string, error) {
	file := filepath.Join(w.Dir, "coatcheck")
	make := exec.Command("go", "build", "-o", file, "./bff")
	make.Dir = root()
	if out, err := make.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
}

const coatcheckUpstream = `
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /api/auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user, subject: /id}
    refresh: {request: {path: /api/auth/refresh, body: {refresh_token: "{refresh_token}"}}, rejected: [401]}
    logout: {request: {path: /api/auth/logout, body: {refresh_token: "{refresh_token}"}}}
`

const coatcheckProvider = `
providers:
  id: {issuer: "${ISSUER}", client_id: conformance, client_secret: "${SECRET}", scopes: [openid, profile, email, offline_access], userinfo: true}
upstreams:
  api: {url: "${API}"}
`

func coatcheckConfig(form, shared bool, l life) string {
	login, around := `{upstream: api, fields: [email, password], expose: [id, email]}`, coatcheckUpstream
	if !form {
		login, around = `{upstream: api, provider: id, expose: [sub, email]}`, coatcheckProvider
	}
	host := ""
	if shared {
		host = "\n    host: api.example.com"
	}
	text := `listen: "127.0.0.1:${PORT}"
admin: {listen: "127.0.0.1:${ADMIN}"}
sessions: {store: "${STORE}", keys: ["${KEY}"], near_cache: 0s` + lifetimes(l) + `}
` + strings.TrimPrefix(around, "\n") + "frontends:\n"
	for _, name := range []string{"shop", "admin"} {
		text += fmt.Sprintf("  %s:\n    origins: [\"https://%s.example.com\"]%s\n    login: %s\n    routes: [{path: /api/, upstream: api, websocket: true}]\n", name, name, host, login)
	}
	return text
}

func lifetimes(l life) (text string) {
	if l.idle > 0 {
		text += ", idle_timeout: " + l.idle.String()
	}
	if l.most > 0 {
		text += ", max_lifetime: " + l.most.String()
	}
	return text
}

// coatcheck builds the program and runs it, with a Redis behind a link that can be cut.
func coatcheck(w *world.World, form, shared bool, l life) (*suite.Subject, error) {
	binary, err := build(w)
	if err != nil {
		return nil, err
	}
	if !form {
		var redirects, after []string
		for _, origin := range []string{world.Shop, world.Admin} {
			redirects, after = append(redirects, origin+"/bff/callback/id"), append(after, origin+"/")
		}
		if err := w.StartIdP(redirects, after); err != nil {
			return nil, err
		}
	}
	store, err := newStore(w)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(w.Dir, "coatcheck.yaml")
	if err := os.WriteFile(file, []byte(coatcheckConfig(form, shared, l)), 0o600); err != nil {
		return nil, err
	}
	address, p, err := run(w, binary, file, store)
	if err != nil {
		return nil, err
	}
	w.Name(address, "shop.example.com", "admin.example.com", "api.example.com")
	s := &suite.Subject{About: suite.About{Version: firstLine(binary, "version"), Settings: "the shipped defaults, near_cache 0s, Redis"}, Address: address, Frontend: frontend(world.Shop, shared),
		WebSocket: true, Renews: true, Honest: map[string]string{"X-CSRF": "1"}, Process: suite.Process{Store: store, Logs: p.Output},
		IsSession: func(name string) bool {
			return strings.HasPrefix(name, "__Host-") && !strings.HasSuffix(name, "-login")
		}}
	s.Short = briefly(w, life{2 * time.Second, 3 * time.Second}, 500*time.Millisecond, func(w *world.World, l life) (*suite.Subject, error) {
		return coatcheck(w, form, shared, l)
	})
	other := frontend(world.Admin, shared)
	s.Other = &other
	if form {
		s.Form = &suite.Form{Path: "/bff/login", Throttles: 10}
	} else {
		s.Provider = &suite.Provider{Login: "/bff/login", Callback: "/bff/callback/id", ReturnTo: "return_to", BackChannel: "/bff/backchannel-logout/id", Userinfo: true, Several: true,
			IsAttempt: func(name string) bool { return strings.HasSuffix(name, "-login") }}
	}
	return s, nil
}

func run(w *world.World, binary, config string, store *redisStore) (string, *world.Process, error) {
	port, err := w.Port()
	if err != nil {
		return "", nil, err
	}
	admin, err := w.Port()
	if err != nil {
		return "", nil, err
	}
	env := []string{"PORT=" + port, "ADMIN=" + admin, "KEY=" + rig.Key, "API=" + w.API.URL(), "SECRET=" + world.ClientSecret, "STORE=redis://" + store.link.Addr() + "/0"}
	if w.IdP != nil {
		env = append(env, "ISSUER="+w.IdP.URL())
	}
	p, err := w.Start(w.Dir, env, binary, "serve", "--config", config)
	if err != nil {
		return "", nil, err
	}
	for end := time.Now().Add(time.Minute); rig.Status("http://127.0.0.1:"+admin+"/readyz") != http.StatusOK; time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			return "", nil, fmt.Errorf("not ready: %s", p.Output())
		}
	}
	return "127.0.0.1:" + port, p, nil
}

func frontend(origin string, shared bool) suite.Frontend {
	base := origin
	if shared {
		base = world.Shared
	}
	return suite.Frontend{Origin: origin, Base: base, API: "/api/", Me: "/bff/session", LogoutMethod: "POST", Logout: "/bff/logout",
		Known: func(a *browser.Answer) bool {
			return a.Status == 200 && strings.Contains(a.Body, `"authenticated":true`)
		}}
}
