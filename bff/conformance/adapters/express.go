package adapters

import (
	_ "embed"
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

//go:embed express.js
var expressApp string

// direct is why nothing is said about the signatures of ID tokens.
const direct = "it relies on TLS in place of the signature, as OpenID Connect Core 3.1.3.7, rule 6, allows for a token that comes from the token endpoint; the suite's provider speaks plain http"

// express is express-openid-connect with http-proxy-middleware, as the README of the
// first shows it: sessions in a store, which back-channel logout needs.
func express(w *world.World) (*suite.Subject, error) { return expressFor(w, life{}) }

func expressFor(w *world.World, l life) (*suite.Subject, error) {
	dir, err := npm(w, "express", "express", "express-openid-connect", "http-proxy-middleware", "memorystore")
	if err != nil {
		return nil, err
	}
	if err := w.StartIdP([]string{world.Shop + "/callback"}, []string{world.Shop}); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "app.js"), []byte(expressApp), 0o600); err != nil {
		return nil, err
	}
	port, err := w.Port()
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + port
	p, err := w.Start(dir, []string{"PORT=" + port, "ISSUER=" + w.IdP.URL(), "API=" + w.API.URL(), "CLIENT=" + world.ClientID, "SECRET=" + world.ClientSecret, "BASE=" + world.Shop,
		"IDLE=" + seconds(l.idle, 24*time.Hour), "MOST=" + seconds(l.most, 7*24*time.Hour)}, "node", "app.js")
	if err != nil {
		return nil, err
	}
	if err := p.Ready(address); err != nil {
		return nil, err
	}
	w.Name(address, "shop.example.com")
	return &suite.Subject{Address: address, Edge: http.Header{"X-Forwarded-Proto": {"https"}},
		About: suite.About{Version: npmVersions(dir, "express-openid-connect", "http-proxy-middleware", "express"),
			Settings: "sessions in memorystore, cookie __Host-shop, Secure, SameSite Strict; transaction cookie Lax; code flow with PKCE; back-channel logout; xfwd; renewal by accessToken.refresh"},
		Frontend: suite.Frontend{Origin: world.Shop, Base: world.Shop, API: "/api/", Me: "/me", LogoutMethod: http.MethodGet, Logout: "/logout",
			Known: func(a *browser.Answer) bool { return a.Status == http.StatusOK && strings.Contains(a.Body, "@id.test") }},
		Provider: &suite.Provider{Login: "/login", Callback: "/callback", BackChannel: "/backchannel-logout", IsAttempt: func(name string) bool { return strings.Contains(name, "auth_verification") }},
		Renews:   true, RenewalWait: 4 * time.Second, Process: suite.Process{Logs: p.Output, Short: briefly(w, life{2 * time.Second, 4 * time.Second}, time.Second, expressFor)}, IsSession: func(name string) bool { return strings.HasPrefix(name, "__Host-shop") },
		Except: map[string]string{"provider-id-signature": direct, "provider-id-key-in-header": direct, "provider-id-unknown-key": direct}}, nil
}

// npm installs packages into a folder of the world, or finds them where CONFORMANCE_BIN
// keeps them.
func npm(w *world.World, name string, packages ...string) (string, error) {
	dir := filepath.Join(w.Dir, name)
	if kept := os.Getenv("CONFORMANCE_BIN"); kept != "" && exists(filepath.Join(kept, name, "node_modules")) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		return dir, os.Symlink(filepath.Join(kept, name, "node_modules"), filepath.Join(dir, "node_modules"))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	install := exec.Command("npm", append([]string{"install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir}, packages...)...)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, out)
	}
	return dir, nil
}

func npmVersions(dir string, packages ...string) string {
	var found []string
	for _, name := range packages {
		out, err := exec.Command("node", "-p", "require('"+filepath.Join(dir, "node_modules", name, "package.json")+"').version").Output()
		if err == nil {
			found = append(found, name+" "+strings.TrimSpace(string(out)))
		}
	}
	return strings.Join(found, ", ")
}
