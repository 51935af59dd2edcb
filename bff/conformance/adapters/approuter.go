package adapters

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

const approuterRoutes = `{"authenticationMethod": "route", "welcomeFile": "/index.html",
 "login": {"callbackEndpoint": "/login/callback"},
 "logout": {"logoutEndpoint": "/do/logout", "logoutPage": "/index.html", "logoutMethod": "POST", "csrfProtection": true},
 "websockets": {"enabled": true},
 "routes": [
  {"source": "^/api/", "destination": "api", "authenticationType": "ias", "csrfProtection": true},
  {"source": "^/user-api(.*)", "target": "$1", "service": "sap-approuter-userapi", "authenticationType": "ias"},
  {"source": "^/do/", "localDir": "pages", "authenticationType": "ias", "csrfProtection": true},
  {"source": "^/start", "localDir": "pages", "authenticationType": "ias"},
  {"source": "^/", "localDir": "pages", "authenticationType": "none"}]}`

// approuter is SAP's application router: https://www.npmjs.com/package/@sap/approuter. It
// signs in at the Identity Authentication Service; the suite's provider stands in for it,
// at that service's paths, with an access token in its form.
func approuter(w *world.World) (*suite.Subject, error) { return approuterFor(w, life{}) }

func approuterFor(w *world.World, l life) (*suite.Subject, error) {
	dir, err := npm(w, "approuter", "@sap/approuter")
	if err != nil {
		return nil, err
	}
	if err := w.StartIdP([]string{world.Shop + "/login/callback?authType=ias"}, []string{world.Shop + "/index.html"}); err != nil {
		return nil, err
	}
	w.IdP.Reshape(world.Other{Paths: map[string]string{"/oauth2/authorize": "/authorize", "/oauth2/token": "/token", "/oauth2/logout": "/end_session"}, Change: identityToken, NoPKCE: true})
	if err := approuterFiles(dir); err != nil {
		return nil, err
	}
	port, err := w.Port()
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + port
	p, err := w.Start(dir, approuterEnv(w, port, l), "node", "node_modules/@sap/approuter/approuter.js")
	if err != nil {
		return nil, err
	}
	if err := p.Ready(address); err != nil {
		return nil, err
	}
	w.Name(address, "shop.example.com")
	s := approuterSubject(dir, address, p)
	s.Short = briefly(w, life{idle: time.Minute}, 5*time.Second, approuterFor)
	return s, nil
}

func approuterSubject(dir, address string, p *world.Process) *suite.Subject {
	s := &suite.Subject{Address: address, Edge: http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"shop.example.com"}}, WebSocket: true,
		About: suite.About{Version: npmVersions(dir, "@sap/approuter"),
			Settings: "identity service (imitated); SECURE_SESSION_COOKIE, SameSite Lax, STATE_PARAMETER_SECRET, csrfProtection, sign-out by POST, CJ_PROTECT_WHITELIST unset, sessions in its memory"},
		Frontend: suite.Frontend{Origin: world.Shop, Base: world.Shop, API: "/api/", Me: "/user-api/currentUser", LogoutMethod: http.MethodPost, Logout: "/do/logout",
			Known: func(a *browser.Answer) bool { return a.Status == http.StatusOK && strings.Contains(a.Body, "@id.test") }},
		Provider: &suite.Provider{Login: "/start.html", Callback: "/login/callback", Script: approuterScript,
			IsAttempt: func(name string) bool { return strings.Contains(name, "locationAfterLogin") || name == "signature" }},
		Honest:    map[string]string{"X-Requested-With": "XMLHttpRequest"},
		Process:   suite.Process{Logs: p.Output},
		IsSession: func(name string) bool { return strings.Contains(name, "JSESSIONID") },
		Except:    map[string]string{"people-forwarded-host": "one process serves one frontend, whatever its host"}}
	for _, c := range []string{"issuer", "audience", "no-audience", "more-audiences", "party", "no-subject", "expired", "no-expiry", "no-time", "future", "not-yet", "nonce", "no-nonce", "hash",
		"signature", "unsigned", "hmac", "key-in-header", "algorithm", "unknown-key", "missing", "garbage"} {
		s.Except["provider-id-"+c] = "who somebody is stands in the access token, which the suite imitates; the ID token is not read"
	}
	s.Except["expiry-skew"] = s.Except["provider-id-issuer"]
	s.Unsafe = func(tab *suite.Tab) map[string]string {
		a := tab.Fetch(browser.Request{Method: http.MethodGet, URL: tab.F.Base + tab.F.Me, Header: map[string]string{"X-CSRF-Token": "fetch", "X-Requested-With": "XMLHttpRequest"}})
		return map[string]string{"X-CSRF-Token": a.Header.Get("X-Csrf-Token")}
	}
	return s
}

func approuterFiles(dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "pages"), 0o700); err != nil {
		return err
	}
	for name, text := range map[string]string{"xs-app.json": approuterRoutes, "pages/index.html": "home", "pages/start.html": "home", "package.json": `{"name":"shop","version":"1.0.0"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func approuterEnv(w *world.World, port string, l life) []string {
	services, _ := json.Marshal(map[string]any{"identity": []any{map[string]any{"name": "ias", "label": "identity", "credentials": map[string]any{
		"url": w.IdP.URL(), "clientid": world.ClientID, "clientsecret": world.ClientSecret, "app_tid": "tenant",
		"authorization_endpoint": w.IdP.URL() + "/oauth2/authorize", "end_session_endpoint": w.IdP.URL() + "/end_session"}}}})
	destinations, _ := json.Marshal([]any{map[string]any{"name": "api", "url": w.API.URL(), "forwardAuthToken": true}})
	minutes := "15"
	if l.idle > 0 {
		minutes = "1" // the least that it takes
	}
	return []string{"PORT=" + port, "NODE_ENV=production", "VCAP_SERVICES=" + string(services), "destinations=" + string(destinations), "SECURE_SESSION_COOKIE=true",
		`COOKIES={"SameSite":"Lax"}`, "STATE_PARAMETER_SECRET=0123456789abcdef0123456789abcdef", "SESSION_TIMEOUT=" + minutes, "ENABLE_PERMANENT_AUTHTYPE=true", "JWT_REFRESH=1"}
}

var approuterCookie = regexp.MustCompile(`document\.cookie="([^=]+)=(.*?);path=/;([^"]*)"`)
var approuterOnward = regexp.MustCompile(`location="(https?://[^"]+)"</script>`)

// approuterScript is the page that leads to the provider: it remembers the address, which
// a script alone knows whole, in cookies, and goes on.
func approuterScript(b *browser.Browser, a *browser.Answer) string {
	onward := approuterOnward.FindStringSubmatch(a.Body)
	here, err := url.Parse(a.URL)
	if onward == nil || err != nil {
		return ""
	}
	for _, found := range approuterCookie.FindAllStringSubmatch(a.Body, -1) {
		value := found[2]
		switch {
		case strings.Contains(value, "location.hash"):
			value = ""
		case strings.Contains(value, "location.href"):
			value = url.QueryEscape(here.RequestURI())
		}
		b.ScriptSets(here.Scheme+"://"+here.Host, found[1]+"="+value+"; path=/; "+found[3])
	}
	return onward[1]
}

// identityToken puts an access token in the form of the identity service, which says who
// somebody is, in the place of an opaque one.
func identityToken(doc map[string]any, who world.Person) {
	opaque, _ := doc["access_token"].(string)
	if opaque == "" || who.Email == "" || strings.ContainsAny(opaque, "\r\n") {
		return
	}
	claims := map[string]any{"sub": who.Subject, "email": who.Email, "user_uuid": who.Subject, "app_tid": "tenant", "jti": opaque, "exp": time.Now().Add(time.Hour).Unix()}
	if of, ok := doc["id_token"].(string); ok {
		extra := map[string]any{}
		if parts := strings.Split(of, "."); len(parts) == 3 {
			text, _ := base64.RawURLEncoding.DecodeString(parts[1])
			_ = json.Unmarshal(text, &extra)
		}
		if sid, ok := extra["sid"]; ok {
			maps.Copy(claims, map[string]any{"sid": sid})
		}
	}
	body, _ := json.Marshal(claims)
	part := base64.RawURLEncoding.EncodeToString
	doc["access_token"] = fmt.Sprintf("%s.%s.%s", part([]byte(`{"alg":"RS256","typ":"JWT"}`)), part(body), part([]byte(opaque)))
}
