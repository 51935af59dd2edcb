package adapters

import (
	"debug/buildinfo"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// oauth2Proxy is oauth2-proxy with sessions in Redis: https://oauth2-proxy.github.io.
// The settings are those of its documentation that close the most: Secure, HttpOnly and
// Strict cookies with a prefix, PKCE, API routes answered with 401, no cookie passed on,
// renewal of tokens, the access token in a header of its own.
func oauth2Proxy(w *world.World) (*suite.Subject, error) { return oauth2ProxyFor(w, life{}) }

func oauth2ProxyFor(w *world.World, l life) (*suite.Subject, error) {
	binary, err := installed(w, "oauth2-proxy", "github.com/oauth2-proxy/oauth2-proxy/v7@latest")
	if err != nil {
		return nil, err
	}
	if err := w.StartIdP([]string{world.Shop + "/oauth2/callback"}, []string{world.Shop + "/"}); err != nil {
		return nil, err
	}
	store, err := newStore(w)
	if err != nil {
		return nil, err
	}
	port, err := w.Port()
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + port
	p, err := w.Start(w.Dir, nil, binary, "--http-address="+address, "--provider=oidc", "--oidc-issuer-url="+w.IdP.URL(),
		"--client-id="+world.ClientID, "--client-secret="+world.ClientSecret, "--redirect-url="+world.Shop+"/oauth2/callback",
		"--upstream="+w.API.URL()+"/api/", "--email-domain=*", "--scope=openid profile email offline_access", "--code-challenge-method=S256",
		"--cookie-secret=0123456789abcdef0123456789abcdef", "--cookie-secure=true", "--cookie-httponly=true", "--cookie-samesite=strict", "--cookie-csrf-samesite=lax",
		"--cookie-name=__Host-shop", "--cookie-csrf-per-request=true", "--cookie-refresh=2s", "--cookie-expire="+seconds(l.most, 12*time.Hour)+"s", "--session-store-type=redis", "--redis-connection-url=redis://"+store.link.Addr(),
		"--insecure-oidc-skip-nonce=false", "--backend-logout-url="+w.IdP.URL()+"/end_session?id_token_hint={id_token}", "--encode-state=true",
		"--upstream=static://200", "--skip-auth-route=GET=^/$", "--api-route=^/api/", "--pass-access-token=true", "--skip-provider-button=true", "--pass-host-header=false", "--proxy-websockets=true")
	if err != nil {
		return nil, err
	}
	if err := p.Ready(address); err != nil {
		return nil, err
	}
	w.Name(address, "shop.example.com")
	return &suite.Subject{Address: address, WebSocket: true, Renews: true, RenewalWait: 3 * time.Second,
		About: suite.About{Version: moduleVersion(binary),
			Settings: "Redis; cookie-samesite strict, cookie-csrf-samesite lax, __Host- name, cookie-csrf-per-request, PKCE S256, nonce checked, backend-logout-url, encode-state, cookie-refresh 2s, api-route, pass-access-token"},
		Frontend: suite.Frontend{Origin: world.Shop, Base: world.Shop, API: "/api/", Me: "/oauth2/userinfo", LogoutMethod: http.MethodGet, Logout: "/oauth2/sign_out",
			Known: func(a *browser.Answer) bool { return a.Status == http.StatusOK && strings.Contains(a.Body, "@id.test") }},
		Provider: &suite.Provider{Login: "/oauth2/start", Callback: "/oauth2/callback", ReturnTo: "rd", IsAttempt: func(name string) bool { return strings.Contains(name, "csrf") }},
		Carrier:  "X-Forwarded-Access-Token", Process: suite.Process{Store: store, Logs: p.Output, Short: briefly(w, life{most: 4 * time.Second}, time.Second, oauth2ProxyFor)},
		IsSession: func(name string) bool {
			return strings.HasPrefix(name, "__Host-shop") && !strings.Contains(name, "csrf")
		},
		Except: map[string]string{"people-forwarded-host": "one process serves one frontend"}}, nil
}

// installed installs a Go program into a world's folder. A finished one that is named by
// CONFORMANCE_BIN is taken instead.
func installed(w *world.World, name, module string) (string, error) {
	if dir := os.Getenv("CONFORMANCE_BIN"); dir != "" {
		if file := filepath.Join(dir, name); exists(file) {
			return file, nil
		}
	}
	install := exec.Command("go", "install", module)
	install.Env = append(os.Environ(), "GOBIN="+w.Dir, "GOFLAGS=")
	install.Dir = w.Dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s: %w: %s", module, err, out)
	}
	return filepath.Join(w.Dir, name), nil
}

// moduleVersion is the version that go install built, which a program itself may not know.
func moduleVersion(binary string) string {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "unknown"
	}
	return info.Main.Version
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

func firstLine(binary string, args ...string) string {
	out, err := exec.Command(binary, args...).CombinedOutput()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(strings.SplitN(string(out), "\n", 2)[0])
}
