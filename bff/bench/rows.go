//go:build linux

package main

import (
	"crypto/tls"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed *.tmpl
var files embed.FS

// titles are the rows' names in the table.
var titles = map[string]string{
	"near":    "Coatcheck, near cache",
	"before":  "an earlier Coatcheck, near cache",
	"cold":    "Coatcheck, store asked on every call",
	"socket":  "…, over a Unix socket",
	"plain":   "nginx, constant token, no session",
	"lua":     "nginx + Lua + Redis session",
	"go":      "Go ReverseProxy + scs + Redis session",
	"haproxy": "HAProxy, constant token, no session",
	"caddy":   "Caddy, constant token, no session",

	"oauth2-proxy": "oauth2-proxy, Redis session",
}

// token is the one that the API wants, ticket the session that opens it.
const (
	token  = "bench-token"
	ticket = "ticket-ticket-ticket-ticket-ticket-ticket-t"
)

// row is one proxy under test.
type row struct {
	*process
	scheme, address string
	cookie          string
	admin           string // of Coatcheck
}

// neighbours starts what every row needs: Redis and the API, on core 0.
func (b *bench) neighbours() (err error) {
	if err := b.startRedis(); err != nil {
		return err
	}
	if err := b.furnish(); err != nil {
		return err
	}
	for _, address := range []*string{&b.api, &b.apiTLS, &b.ownAPI} {
		if *address, err = free(); err != nil {
			return err
		}
	}
	p, err := b.start("own-api", "0", b.own, "api", "-listen", b.ownAPI)
	if err != nil {
		return err
	}
	return errors.Join(p.listening(b.ownAPI), b.nginx("api", "0", b.api, house{}, map[string]string{"Body": body(), "Secure": b.apiTLS}))
}

func (b *bench) startRedis() (err error) {
	if b.redis, err = free(); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(b.redis)
	p, err := b.start("redis", "0", "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", b.dir, "--unixsocket", b.socket())
	if err != nil {
		return err
	}
	return p.listening(b.redis)
}

// socket is where Redis listens besides its address.
func (at *place) socket() string { return filepath.Join(at.dir, "redis.sock") }

// body is a small answer as an API gives it: 1 kB of JSON.
func body() string {
	type item struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	var all struct {
		Items []item `json:"items"`
	}
	for i := range 36 {
		all.Items = append(all.Items, item{i, fmt.Sprint("item ", i)})
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // impossible: numbers and text
	}
	return string(text)
}

// written fills in NAME.conf.tmpl, and returns the file.
func (b *bench) written(name, address string, h house, values map[string]string) (string, error) {
	made, err := template.ParseFS(files, name+".conf.tmpl")
	if err != nil {
		return "", err
	}
	_, port, _ := net.SplitHostPort(address)
	all := map[string]any{"Port": port, "Dir": b.dir, "Name": name, "Listen": address, "API": b.addressOf(h), "Token": token, "Door": h.door, "TLS": h.api}
	for k, v := range values {
		all[k] = v
	}
	var text strings.Builder
	if err := made.Execute(&text, all); err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, name+".conf")
	return file, os.WriteFile(file, []byte(text.String()), 0o644)
}

// addressOf is the API that a house stands in front of.
func (b *bench) addressOf(h house) string {
	switch {
	case h.own:
		return b.ownAPI
	case h.api:
		return b.apiTLS
	}
	return b.api
}

// nginx starts one with the configuration NAME.conf.tmpl, one worker.
func (b *bench) nginx(name, core, address string, h house, values map[string]string) error {
	file, err := b.written(name, address, h, values)
	if err != nil {
		return err
	}
	p, err := b.start(name, core, "nginx", "-e", filepath.Join(b.dir, name+".err"), "-c", file)
	if err != nil {
		return err
	}
	return p.listening(address)
}

// row starts a proxy on core 1, signed in.
func (b *bench) row(name string, h house) (row, error) {
	address, err := free()
	if err != nil {
		return row{}, err
	}
	switch name {
	case "near", "cold", "socket":
		return b.coatcheck(name, b.program, address, b.addressOf(h), h)
	case "before":
		return b.coatcheck(name, b.before, address, b.addressOf(h), h)
	case "plain":
		err = b.nginx(name, "1", address, h, nil)
	case "haproxy", "caddy":
		err = b.other(name, address, h)
	case "lua":
		_, port, _ := net.SplitHostPort(b.redis)
		if err = b.session("lua:"+ticket, token); err == nil {
			err = b.nginx(name, "1", address, h, map[string]string{"RedisPort": port})
		}
	case "oauth2-proxy":
		return b.startOAuth2Proxy(address, h)
	case "go":
		var p *process
		if p, err = b.start(name, "1", b.own, "peer", "-listen", address, "-api", "http://"+b.api, "-redis", b.redis); err == nil {
			err = p.listening(address)
		}
		if err == nil {
			cookie, err := signIn("http://" + address + "/login")
			return row{p, "http", address, cookie, ""}, err
		}
	default:
		return row{}, fmt.Errorf("no row %q", name)
	}
	if err != nil {
		return row{}, err
	}
	return row{b.processes[len(b.processes)-1], h.scheme(), address, "ticket=" + ticket, ""}, nil
}

func (h house) scheme() string {
	if h.door {
		return "https"
	}
	return "http"
}

// other starts HAProxy or Caddy.
func (b *bench) other(name, address string, h house) error {
	file, err := b.written(name, address, h, nil)
	if err != nil {
		return err
	}
	argv := []string{"haproxy", "-db", "-f", file}
	if name == "caddy" {
		argv = []string{"caddy", "run", "--adapter", "caddyfile", "--config", file}
	}
	p, err := b.start(name, "1", argv...)
	if err != nil {
		return err
	}
	return p.listening(address)
}

// sealingKey seals the sessions of this run.
const sealingKey = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

const config = `%slisten: %q
admin: {listen: %q}
sessions: {store: %q, keys: [%q], near_cache: %s}
upstreams:
  api:
    url: %s://%s
    max_connections: 16384
    login:
      request: {method: POST, path: /login, encoding: json, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, expires_in: /expires_in}
      user: {from: response, at: /user}
frontends:
  bench:
    origins: ["%s://localhost:%s"]
    host: localhost
    login: {upstream: api, fields: [email, password], expose: [id, email]}
    throttle: {account: 1000000, address: 1000000}
    routes:
      - {path: /api/, upstream: api, max_body: 0, websocket: true}
`

// coatcheck starts a program under test in front of an API, and signs in.
func (b *bench) coatcheck(name, program, address, api string, h house) (row, error) {
	near := "1s"
	if name == "cold" || name == "socket" {
		near = "0s"
	}
	store := fmt.Sprintf("redis://%s/%d", b.redis, h.database)
	if name == "socket" {
		store = fmt.Sprintf("unix://%s?db=%d", b.socket(), h.database)
	}
	admin, err := free()
	if err != nil {
		return row{}, err
	}
	_, port, _ := net.SplitHostPort(address)
	file := filepath.Join(b.dir, name+".yaml")
	door, scheme := "", "http"
	if h.door {
		door = fmt.Sprintf("tls: {cert: %[1]s/cert.pem, key: %[1]s/key.pem}\n", b.dir)
	}
	if h.api {
		scheme = "https"
	}
	text := fmt.Sprintf(config, door, address, admin, store, sealingKey, near, scheme, api, h.scheme(), port)
	if h.api {
		text = strings.Replace(text, "    login:", fmt.Sprintf("    ca: %s/cert.pem\n    login:", b.dir), 1)
	}
	if h.callers {
		text = callersConfig(text)
	}
	for i := range h.routes {
		text += fmt.Sprintf("      - {path: /other/%d/, upstream: api}\n", i)
	}
	if name == "memory" { // one person opens all streams
		text = strings.Replace(text, "    login:", "    streams_per_session: 1000000\n    login:", 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return row{}, err
	}
	p, err := b.start(name, "1", program, "serve", "-config", file)
	if err != nil {
		return row{}, err
	}
	if err := p.listening(address); err != nil {
		return row{}, err
	}
	cookie, err := signIn(h.scheme() + "://" + address + "/bff/login")
	return row{p, h.scheme(), address, cookie, admin}, err
}

// client trusts the certificates of this run.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// signIn returns the cookie that a sign-in brings.
func signIn(url string) (string, error) {
	request, err := http.NewRequest("POST", url, strings.NewReader(`{"email":"ann@example.com","password":"pw"}`))
	if err != nil {
		return "", err
	}
	_, port, _ := net.SplitHostPort(request.URL.Host)
	request.Host = "localhost:" + port
	request.Header.Set("Origin", request.URL.Scheme+"://localhost:"+port)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-CSRF", "1")
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	cookies := answer.Cookies()
	if answer.StatusCode/100 != 2 || len(cookies) == 0 {
		return "", errors.New("sign-in: " + answer.Status)
	}
	return cookies[0].Name + "=" + cookies[0].Value, nil
}
