//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What oauth2-proxy and the person prove themselves by at the provider of this run.
const (
	clientID     = "bench"
	clientSecret = "bench-secret-of-a-client"
	password     = "bench-password"
)

// peers are the programs of the row oauth2-proxy.
type peers struct{ oauth2Proxy, provider string }

// runnable keeps the rows whose programs are there.
func (p peers) runnable(names []string) (rows, notRun []string) {
	for _, name := range names {
		if name == "oauth2-proxy" && (!exists(p.oauth2Proxy) || !exists(p.provider)) {
			notRun = append(notRun, name)
			continue
		}
		rows = append(rows, name)
	}
	return rows, notRun
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

// startOAuth2Proxy starts oauth2-proxy with its sessions in Redis, and a provider for its
// sign-in on core 0. It writes a line for each call, as Coatcheck does, and puts the
// person's access token into X-Forwarded-Access-Token.
func (b *bench) startOAuth2Proxy(address string, h house) (row, error) {
	_, port, _ := net.SplitHostPort(address)
	callback := "http://localhost:" + port + "/oauth2/callback"
	issuer, err := b.startProvider(callback)
	if err != nil {
		return row{}, err
	}
	p, err := b.start("oauth2-proxy", "1", b.peers.oauth2Proxy, "--http-address="+address, "--reverse-proxy", "--trusted-proxy-ip=127.0.0.1",
		"--provider=oidc", "--oidc-issuer-url="+issuer, "--client-id="+clientID, "--client-secret="+clientSecret, "--redirect-url="+callback,
		"--scope=openid profile email", "--code-challenge-method=S256", "--email-domain=*", "--skip-provider-button",
		"--cookie-secret="+strings.Repeat("0123456789abcdef", 2), "--cookie-secure=false", "--session-store-type=redis", "--redis-connection-url=redis://"+b.redis+"/0",
		"--pass-access-token", "--upstream=http://"+b.addressOf(h)+"/")
	if err != nil {
		return row{}, err
	}
	if err := p.listening(address); err != nil {
		return row{}, err
	}
	cookie, err := signInAtProvider("http://localhost:"+port, issuer)
	return row{p, "http", address, cookie, ""}, err
}

// startProvider starts the OpenID Provider of the browser tests, and returns its issuer.
func (b *bench) startProvider(callback string) (issuer string, err error) {
	address, err := free()
	if err != nil {
		return "", err
	}
	issuer = "http://" + address
	task, err := json.Marshal(map[string]any{"Listen": address, "Issuer": issuer,
		"Clients": []map[string]any{{"ID": clientID, "Secret": clientSecret, "Name": "bench", "RedirectURIs": []string{callback}}},
		"People":  []map[string]any{{"Subject": "1", "Email": "ann@example.com", "Password": password, "Name": "Ann"}}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, "provider.json")
	if err := os.WriteFile(file, task, 0o600); err != nil {
		return "", err
	}
	p, err := b.start("provider", "0", "sh", "-c", `exec "$0" < "$1"`, b.peers.provider, file)
	if err != nil {
		return "", err
	}
	return issuer, p.listening(address)
}

// handle is the hidden field by which the provider knows what its page was shown for.
var handle = regexp.MustCompile(`name="request" value="([^"]+)"`)

// signInAtProvider signs in as a browser does: from the application to the provider's
// page, and back by its form. It returns the application's cookies.
func signInAtProvider(site, issuer string) (string, error) {
	jar, _ := cookiejar.New(nil) // never fails
	browser := &http.Client{Jar: jar}
	page, err := browser.Get(site + "/oauth2/start?rd=/api/items")
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(page.Body)
	found := handle.FindSubmatch(text)
	if err = errors.Join(err, page.Body.Close()); err != nil || found == nil {
		return "", errors.Join(err, errors.New("no sign-in page: "+page.Status))
	}
	answer, err := browser.PostForm(issuer+"/signin", url.Values{"request": {string(found[1])}, "email": {"ann@example.com"}, "password": {password}})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	at, err := url.Parse(site)
	if err != nil {
		return "", err
	}
	var cookies []string
	for _, c := range jar.Cookies(at) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	if answer.StatusCode != http.StatusOK || len(cookies) == 0 {
		return "", fmt.Errorf("sign-in at the provider: %s", answer.Status)
	}
	return strings.Join(cookies, "; "), nil
}
