package adapters

import (
	_ "embed"
	"errors"
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

//go:embed modauth.conf
var modAuthConfig string

const (
	apacheBinary  = "/usr/sbin/apache2"
	apacheModules = "/usr/lib/apache2/modules"
)

// modAuth is mod_auth_openidc in an Apache of its own: https://github.com/OpenIDC/mod_auth_openidc.
// The settings are those of its auth_openidc.conf that close the most; Apache's own
// are those of Debian's package, and the server says less of itself.
func modAuth(w *world.World) (*suite.Subject, error) { return modAuthFor(w, life{}) }

func modAuthFor(w *world.World, l life) (*suite.Subject, error) {
	if !exists(apacheBinary) || !exists(filepath.Join(apacheModules, "mod_auth_openidc.so")) {
		return nil, errors.New("not installed: apt-get install apache2-bin libapache2-mod-auth-openidc")
	}
	if err := w.StartIdP([]string{world.Shop + "/oidc/callback"}, []string{world.Shop + "/"}); err != nil {
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
	if err := pages(w.Dir); err != nil {
		return nil, err
	}
	file := filepath.Join(w.Dir, "apache.conf")
	if err := os.WriteFile(file, []byte(modAuthConfig), 0o600); err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + port
	p, err := w.Start(w.Dir, []string{"DIR=" + w.Dir, "MODULES=" + apacheModules, "PORT=" + port, "ISSUER=" + w.IdP.URL(), "API=" + w.API.URL(), "CLIENT=" + world.ClientID,
		"SECRET=" + world.ClientSecret, "BASE=" + world.Shop, "STORE=" + store.link.Addr(),
		"IDLE=" + seconds(l.idle, 5*time.Minute), "MOST=" + seconds(l.most, 8*time.Hour)}, apacheBinary, "-f", file, "-DFOREGROUND")
	if err != nil {
		return nil, err
	}
	if err := p.Ready(address); err != nil {
		return nil, err
	}
	w.Name(address, "shop.example.com")
	return modAuthSubject(w, address, store, p), nil
}

// modAuthSubject names the doors. Sessions get the shortest times that the module takes.
func modAuthSubject(w *world.World, address string, store *redisStore, p *world.Process) *suite.Subject {
	return &suite.Subject{Address: address, Edge: http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"443"}}, WebSocket: true,
		About: suite.About{Version: debianVersions("libapache2-mod-auth-openidc", "apache2-bin"),
			Settings: "sessions in Redis, encrypted; cookies __Host-, HttpOnly, SameSite; PKCE S256; 401 for calls without a session; claims and token in the environment only; back-channel logout; one landing host; renewal before the end with logout_on_error"},
		Frontend: suite.Frontend{Origin: world.Shop, Base: world.Shop, API: "/api/", Me: "/oidc/callback?info=json", LogoutMethod: http.MethodGet, Logout: "/oidc/callback?logout=https%3A%2F%2Fshop.example.com%2F",
			Known: func(a *browser.Answer) bool { return a.Status == http.StatusOK && strings.Contains(a.Body, "@id.test") }},
		Provider: &suite.Provider{Login: "/login", Callback: "/oidc/callback", BackChannel: "/oidc/callback?logout=backchannel", Userinfo: true,
			IsAttempt: func(name string) bool { return strings.Contains(name, "state") }},
		Renews: true, RenewalWait: 2500 * time.Millisecond, Process: suite.Process{Store: store, Logs: p.Output, Short: briefly(w, life{10 * time.Second, 15 * time.Second}, 2*time.Second, modAuthFor)},
		IsSession: func(name string) bool { return strings.HasPrefix(name, "__Host-shop") },
		Except:    map[string]string{"people-forwarded-host": "one virtual host serves one frontend"}}
}

// pages writes what Apache serves. It gives up root's rights, and has to reach the files.
func pages(dir string) error {
	html := filepath.Join(dir, "html")
	if err := os.Mkdir(html, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"index.html", "login"} {
		if err := os.WriteFile(filepath.Join(html, name), []byte("home"), 0o644); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o711)
}

// debianVersions are the versions of installed packages.
func debianVersions(names ...string) string {
	var found []string
	for _, name := range names {
		out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
		if err == nil {
			found = append(found, name+" "+string(out))
		}
	}
	return strings.Join(found, ", ")
}
