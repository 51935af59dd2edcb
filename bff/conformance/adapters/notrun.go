package adapters

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// The adapters of this file are written from documentation. Nobody has run them: what
// they say of doors may be wrong, and they say nothing of the products' conduct.
const notRun = "not run: written from its documentation. CONFORMANCE_START names a command that starts it on 127.0.0.1:$PORT, with $ISSUER, $CLIENT, $SECRET, $API and $BASE"

// external starts a product by the command of whoever runs the suite.
func external(w *world.World, callback string) (string, *world.Process, error) {
	command := os.Getenv("CONFORMANCE_START")
	if command == "" {
		return "", nil, errors.New(notRun)
	}
	if err := w.StartIdP([]string{world.Shop + callback}, []string{world.Shop + "/"}); err != nil {
		return "", nil, err
	}
	port, err := w.Port()
	if err != nil {
		return "", nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", nil, err
	}
	p, err := w.Start(here, []string{"PORT=" + port, "ISSUER=" + w.IdP.URL(), "CLIENT=" + world.ClientID, "SECRET=" + world.ClientSecret, "API=" + w.API.URL(), "BASE=" + world.Shop}, "sh", "-c", command)
	if err != nil {
		return "", nil, err
	}
	address := "127.0.0.1:" + port
	w.Name(address, "shop.example.com")
	return address, p, p.Ready(address)
}

func behindTLS(address string, p *world.Process, f suite.Frontend) *suite.Subject {
	f.Origin, f.Base = world.Shop, world.Shop
	return &suite.Subject{About: suite.About{Version: "unknown", Settings: "those of CONFORMANCE_START"}, Address: address, Frontend: f,
		Edge: http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"shop.example.com"}}, Process: suite.Process{Logs: p.Output}}
}

func answersMail(a *browser.Answer) bool {
	return a.Status == http.StatusOK && strings.Contains(a.Body, "@id.test")
}

// duende is Duende.BFF: https://docs.duendesoftware.com/bff/. Management endpoints below
// /bff, remote APIs below /api with the user's token, the anti-forgery header on each
// call, and a sign-out address that only who-am-I tells.
func duende(w *world.World) (*suite.Subject, error) {
	address, p, err := external(w, "/signin-oidc")
	if err != nil {
		return nil, err
	}
	s := behindTLS(address, p, suite.Frontend{API: "/api/", Me: "/bff/user", Known: answersMail, LogoutMethod: http.MethodGet, Logout: "/bff/logout", LogoutFrom: duendeLogout})
	s.Honest, s.WebSocket = map[string]string{"X-CSRF": "1"}, true
	s.IsSession = func(name string) bool { return strings.HasPrefix(name, "__Host-") }
	s.Provider = &suite.Provider{Login: "/bff/login", Callback: "/signin-oidc", ReturnTo: "returnUrl", BackChannel: "/bff/backchannel", Userinfo: true,
		IsAttempt: func(name string) bool {
			return strings.HasPrefix(name, ".AspNetCore.Correlation") || strings.HasPrefix(name, ".AspNetCore.OpenIdConnect.Nonce")
		}}
	return s, nil
}

// duendeLogout is the claim bff:logout_url of the user endpoint.
func duendeLogout(me *browser.Answer) string {
	var claims []struct {
		Type  string
		Value any
	}
	_ = json.Unmarshal([]byte(me.Body), &claims)
	for _, c := range claims {
		if at, ok := c.Value.(string); ok && c.Type == "bff:logout_url" {
			return at
		}
	}
	return ""
}

// spring is Spring Cloud Gateway with Spring Security's OAuth 2.0 client:
// https://docs.spring.io/spring-cloud-gateway/ (TokenRelay) and
// https://docs.spring.io/spring-security/reference/ (csrf.spa, OIDC logout). The
// registration is called "id"; /me is a controller that answers the OidcUser's claims.
func spring(w *world.World) (*suite.Subject, error) {
	address, p, err := external(w, "/login/oauth2/code/id")
	if err != nil {
		return nil, err
	}
	s := behindTLS(address, p, suite.Frontend{API: "/api/", Me: "/me", Known: answersMail, LogoutMethod: http.MethodPost, Logout: "/logout"})
	s.WebSocket = true
	s.IsSession = func(name string) bool { return strings.HasSuffix(name, "SESSION") }
	s.Provider = &suite.Provider{Login: "/oauth2/authorization/id", Callback: "/login/oauth2/code/id", BackChannel: "/logout/connect/back-channel/id", Userinfo: true,
		IsAttempt: func(name string) bool { return strings.HasSuffix(name, "SESSION") }}
	s.Unsafe = func(tab *suite.Tab) map[string]string {
		for _, c := range tab.Cookies(tab.F.Base + tab.F.API) {
			if c.Name == "XSRF-TOKEN" {
				return map[string]string{"X-XSRF-TOKEN": c.Value}
			}
		}
		return nil
	}
	return s, nil
}
