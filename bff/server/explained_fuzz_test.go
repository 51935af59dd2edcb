package server_test

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455 names it
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/explain"
	"coatcheck/bff/routing"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	storeopen "coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/signin"
)

// comparedConfig is a configuration of switches: {name} is replaced by what [switches]
// says.
const comparedConfig = `
listen: "127.0.0.1:0"
{health}
{trusted}
sessions: {store: "memory://", keys: ["dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBzZXJ2ZXIgdGVzdHM="]}
limits: {header: 4KiB}
upstreams:
  api:
    url: "{api}"
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token}
      user: {at: /user, subject: /id}
    private_paths: [/internal]
frontends:
  shop:
    origins: ["https://shop.example.com"{origin}]
    {host}
    {base}
    {spa}
    {csrf}
    login: {upstream: api, fields: [email, password]}
    routes:
      - {path: /api/, upstream: api{session}{methods}{slash}{body}{isolate}}
      - {path: /root/, upstream: api, rewrite: /}
      - {path: /api/open/, upstream: api, session: none{slash}}
  desk:
    origins: ["https://desk.example.com"]
    host: api.example.com
    login: {upstream: api, fields: [email, password]}
    routes: [{path: /api/, upstream: api, session: optional}]
`

// switches of a configuration; each digit of a number picks one of a row.
var switches = []struct {
	name   string
	values []string
}{
	{"session", []string{"", ", session: optional", ", session: none", ", session: none, guard: false"}},
	{"methods", []string{"", ", methods: [GET]", ", methods: [POST, OPTIONS]", ", websocket: true", ", methods: [GET], websocket: true"}},
	{"slash", []string{"", ", encoded_slash: pass"}},
	{"body", []string{", max_body: 1KiB", ", max_body: 0", ""}},
	{"isolate", []string{"", ", isolate: false"}},
	{"base", []string{"", "base_path: /east"}},
	{"host", []string{"", "host: api.example.com"}},
	{"spa", []string{"", "spa: {dir: \"{dir}\"}"}},
	{"csrf", []string{"", "csrf_header: \"off\""}},
	{"origin", []string{"", ", \"https://www.example.com\""}},
	{"health", []string{"", "health_path: /up", "health_path: /api/up"}},
	{"trusted", []string{"", "trusted_proxies: [127.0.0.1]"}},
}

// comparedKinds is how many configurations are compared, spread over all combinations of
// the switches: each takes a server of its own.
const comparedKinds = 256

// comparedText is the configuration that a number stands for.
func comparedText(n uint32, api, dir string) string {
	text := comparedConfig
	n = n % comparedKinds * 2654435761 // spreads small numbers over all bits (Knuth)
	for _, s := range switches {
		text = strings.ReplaceAll(text, "{"+s.name+"}", s.values[n%uint32(len(s.values))])
		n /= uint32(len(s.values))
	}
	return strings.NewReplacer("{api}", api, "{dir}", dir).Replace(text)
}

// compared is a server and what explain needs to speak of it.
type compared struct {
	config  *configs.Config
	ups     *signin.Set
	address string
	close   func()
}

// errNotServed says that a combination of switches is no configuration.
var errNotServed = errors.New("not a configuration")

func newCompared(text string) (*compared, error) {
	config, faults := read.Text("test.yaml", []byte(text), func(string) (string, bool) { return "", false }, nil)
	if configs.Refused(faults) {
		return nil, fmt.Errorf("%w: %v", errNotServed, faults)
	}
	log := slog.New(slog.DiscardHandler)
	store, err := storeopen.Store(config.Sessions.Store, storeopen.Options{Log: log})
	if err != nil {
		return nil, err
	}
	key, err := configs.KeyBytes(config.Sessions.Keys[0])
	if err != nil {
		return nil, err
	}
	manager, err := session.NewManager(store, session.Options{Keys: []credential.Secret{credential.NewSecret(string(key))}, Prefix: "c",
		IdleTimeout: time.Hour, MaxLifetime: time.Hour, NearCache: time.Second, Log: log})
	if err != nil {
		return nil, err
	}
	c := &compared{config: config}
	if c.ups, err = signin.New(config.Upstreams, signin.Options{}); err != nil {
		return nil, err
	}
	s, err := server.New(server.Options{Config: config, Manager: manager, Upstreams: c.ups, Log: log, Access: io.Discard, Client: []byte(clientMark)})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.address = l.Addr().String()
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(l) }() // ends with Shutdown
	c.close = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
		<-served
		c.ups.Close()
		_ = manager.Close()
	}
	return c, nil
}

// comparedServers keeps a server for each configuration.
type comparedServers struct {
	sync.Mutex
	api, dir string
	open     map[string]*compared
	faults   map[string]error
}

func (k *comparedServers) get(n uint32) (*compared, error) {
	k.Lock()
	defer k.Unlock()
	text := comparedText(n, k.api, k.dir)
	if c := k.open[text]; c != nil {
		return c, nil
	}
	if err := k.faults[text]; err != nil {
		return nil, err
	}
	c, err := newCompared(text)
	if err != nil {
		k.faults[text] = err
		return nil, err
	}
	k.open[text] = c
	return c, nil
}

func (k *comparedServers) close() {
	for _, c := range k.open {
		c.close()
	}
}

// comparedAPI says what it was asked, and speaks WebSocket as far as the handshake.
func comparedAPI(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/auth/login" {
		w.WriteHeader(401)
		return
	}
	w.Header().Set("X-Seen", r.Method+" "+r.RequestURI)
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return
	}
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Seen: %s %s\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		r.Method, r.RequestURI, acceptOf(r.Header.Get("Sec-WebSocket-Key")))
}

// acceptOf answers a Sec-WebSocket-Key (RFC 6455 §4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 names it; it guards nothing
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Parts of the requests that are compared; each byte of the input picks one of a row.
// "" leaves a part away, which most bytes do: one odd part refuses a request before the
// others are looked at.
var requestParts = [][]string{
	{"GET", "GET", "GET", "GET", "GET", "GET", "POST", "POST", "POST", "POST", "OPTIONS", "OPTIONS", "HEAD", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "QUERY"},
	{"", "", "", "", "", "", "/east", "/east", "/east", "/EAST", "/east/east", "/eastern"},
	{"/api/x", "/api/x", "/api/x", "/api/x", "/api/x", "/api/open/x", "/api/open/x", "/api/", "/api", "/", "", "/up", "/up?x", "/api/up", "/root/x", "/root/auth/login", "/root/internal/x", "/root//x",
		"/api/a%2Fb", "/api/open/a%2fb", "/a%2Fb", "/bff/a%2Fb", "/api/../x", "/api/./x", "/api/%2e%2e/x", "/api//x", "//x", "/api/%zz", "/api/\\x", "/api/x?a=%2F&b",
		"/bff/login", "/bff/logout", "/bff/session", "/bff/sessions", "/bff/client.js", "/bff/nothing", "/bff", "/bff/", "/BFF/login", "/index.html", "/.env",
		"/missing.js", "/api/x;y", "/api/\xff", "/api/x#y", "/api/%00", "/api/%5c", "*", "/internal"},
	{"Host: shop.example.com", "Host: shop.example.com", "Host: shop.example.com", "Host: shop.example.com", "Host: shop.example.com", "Host: shop.example.com",
		"Host: api.example.com", "Host: api.example.com", "Host: api.example.com", "Host: api.example.com", "Host: www.example.com", "Host: nowhere.example", "Host: SHOP.example.com.", "Host: shop.example.com:443",
		"Host: desk.example.com", "Host: ", "Host: a b", "Host: api.example.com\r\nHost: api.example.com"},
	{"", "Origin: https://shop.example.com", "Origin: https://shop.example.com", "Origin: https://shop.example.com", "Origin: https://shop.example.com", "Origin: https://desk.example.com", "Origin: https://evil.example", "Origin: null", "Origin: ", "Origin: https://www.example.com",
		"Origin: https://shop.example.com\r\nOrigin: https://shop.example.com", "Origin: HTTPS://shop.example.com"},
	{"", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none", "Sec-Fetch-Site: ", "Sec-Fetch-Site: none\r\nSec-Fetch-Site: none"},
	{"", "Sec-Fetch-Dest: script", "Sec-Fetch-Dest: document", "Service-Worker: script", "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: navigate", "Accept: text/html"},
	{"", "X-CSRF: 1", "X-CSRF: 2", "X-CSRF: 1\r\nX-CSRF: 1", "X-XSRF-TOKEN: t", "x-csrf:1"},
	{"", "Access-Control-Request-Method: PUT", "Access-Control-Request-Method: ", "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-csrf"},
	{"", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Connection: upgrade\r\nUpgrade: WebSocket",
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short", "Connection: Upgrade\r\nUpgrade: h2c", "Upgrade: websocket",
		"Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
	{"", "Content-Length: 0", "Content-Length: 2", "Content-Length: 1025", "Content-Length: 33554433", "Content-Length: x", "Content-Length: 2\r\nContent-Length: 3", "Transfer-Encoding: gzip"},
	{"", "Content-Type: application/json", "Content-Type: text/plain", "Content-Type: application/json; charset=latin1", "Content-Type: application/json\r\nContent-Encoding: gzip"},
	{"", "Cookie: __Host-Http-shop=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Cookie: __Host-Http-desk=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Cookie: __Host-Http-shop=short",
		"Cookie: __Host-Http-shop=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; __Host-Http-shop=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA", "Cookie: a=b"},
	{"", "X-Frontend: shop", "X-Frontend: desk", "X-Frontend: ", "X-Frontend: shop\r\nX-Frontend: shop"},
	{"", "X-Forwarded-Host: api.example.com", "X-Forwarded-Host: shop.example.com", "X-Forwarded-For: 203.0.113.9", "Expect: 100-continue", "Expect: other", "X : y", "X: a\x01b", " folded"},
}

// leastPick is the least byte that does not leave a part away, by row.
var leastPick = []byte{0, 0, 0, 0, 100, 192, 216, 100, 160, 192, 224, 128, 128, 224, 248}

// wellFormed are picks of a page's own request: one for each path and method, with and
// without a ticket, a body and a handshake.
func wellFormed() (all [][]byte) {
	const get, post, options = 0, 6, 10 // in the first row
	pick := func(row int, value byte) byte { return leastPick[row] + value }
	for path := range requestParts[2] {
		for _, method := range []byte{get, post, options} {
			for _, prefix := range []byte{0, 6} {
				p := make([]byte, len(requestParts))
				p[0], p[1], p[2] = method, prefix, byte(path)
				p[4], p[7], p[11] = pick(4, 1), pick(7, 1), pick(11, 1)
				switch method {
				case get:
					p[9] = pick(9, byte(path)%2) // a handshake, or none
				case post:
					p[12] = pick(12, byte(path)%2)
					for length := range byte(5) { // with another media type each
						long := slices.Clone(p)
						long[10], long[11] = pick(10, length), pick(11, length)
						all = append(all, long)
					}
				case options:
					p[8] = pick(8, 1)
				}
				all = append(all, p)
			}
		}
	}
	return all
}

// comparedRequest is a request: its line, the lines of its head, and its body.
type comparedRequest struct {
	method, target string
	lines          []string
	body           string
}

// requestOf makes a request of picks. A part that is left away is the first of its row,
// and path, unless empty, comes behind the path that was picked.
func requestOf(picks []byte, path string) comparedRequest {
	part := func(i int) string {
		row := requestParts[i]
		if i >= len(picks) || picks[i] < leastPick[i] {
			return row[0]
		}
		return row[int(picks[i]-leastPick[i])%len(row)]
	}
	r := comparedRequest{method: part(0), target: part(1) + part(2) + path}
	if !strings.HasPrefix(r.target, "/") {
		r.target = "/" + r.target
	}
	for i := 3; i < len(requestParts); i++ {
		if text := part(i); text != "" {
			r.lines = append(r.lines, strings.Split(text, "\r\n")...)
		}
	}
	switch {
	case strings.HasPrefix(part(10), "Content-Length: 2"):
		r.body = "{}"
	case part(10) == "Content-Length: 1025":
		r.body = strings.Repeat("x", 1025)
	}
	return r
}

// ask sends the request. No answer: status 0.
func (c *compared) ask(r comparedRequest) (answer, error) {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, r.method+" "+r.target+" HTTP/1.1\r\n"+strings.Join(r.lines, "\r\n")+"\r\n\r\n"+r.body); err != nil {
		return answer{}, err
	}
	in := bufio.NewReader(conn)
	for {
		got, err := http.ReadResponse(in, &http.Request{Method: r.method})
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return answer{&http.Response{Header: http.Header{}}, ""}, nil
		}
		if err != nil {
			return answer{}, err
		}
		if got.StatusCode == http.StatusContinue {
			continue
		}
		_ = got.Body.Close()
		return answer{got, ""}, nil
	}
}

// disagreement is what explain says otherwise than serve does; "" where they agree.
func disagreement(told *explain.Explanation, served answer) string {
	text := strings.Join(told.Lines, "\n")
	status, code, refused := explainedAnswer(text)
	if p := told.Problem; p != nil {
		status, code, refused = p.Status, p.Code, true
	}
	got := fmt.Sprintf("served with %d %q", served.StatusCode, served.code())
	if refused {
		if served.StatusCode != status || served.code() != code {
			return fmt.Sprintf("%s, explained as %d %q", got, status, code)
		}
		return ""
	}
	if strings.Contains(text, "answer    none") {
		if served.StatusCode != 0 {
			return got + ", explained as no answer"
		}
		return ""
	}
	if !agrees(told, served) {
		return fmt.Sprintf("%s, explained as kind %d", got, told.Decision.Kind)
	}
	if seen := served.Header.Get("X-Seen"); seen != "" && !strings.Contains(text, seen+" HTTP/1.1") && len(seen) < 60 {
		return fmt.Sprintf("the API saw %q, which explain does not say", seen)
	}
	return ""
}

// agrees compares where nothing is refused by the decision itself. What the store, the
// files, the body and the API decide is left open; nothing else is.
func agrees(told *explain.Explanation, served answer) bool {
	d := &told.Decision
	switch d.Kind {
	case routing.Health, routing.Preflight:
		return served.StatusCode == 204 && served.code() == ""
	case routing.Page:
		return served.StatusCode == 200 || served.StatusCode == 404 && served.code() == "not_found"
	case routing.Own:
		switch served.code() {
		case "", "not_authenticated", "session_expired":
			return true
		case "bad_request", "invalid_fields", "invalid_credentials", "body_too_large":
			return d.Endpoint.ID == routing.Login
		}
		return false
	case routing.Proxy:
		if served.Header.Get("X-Seen") != "" {
			return true
		}
		dead := served.code() == "session_expired" && strings.Contains(strings.Join(told.Lines, " "), "a ticket is present")
		return dead && d.Route.Session == routing.SessionRequired || served.StatusCode == 200 && served.Request.Method == "HEAD"
	}
	return false
}

// FuzzExplainAgrees: over generated configurations and requests, explain says what
// serve does, and serve does what explain says.
func FuzzExplainAgrees(f *testing.F) {
	api := httptest.NewServer(http.HandlerFunc(comparedAPI))
	defer api.Close()
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<!doctype html><head></head>"), 0o600); err != nil {
		f.Fatal(err)
	}
	servers := &comparedServers{api: api.URL, dir: dir, open: map[string]*compared{}, faults: map[string]error{}}
	defer servers.close()
	random := rand.New(rand.NewPCG(13, 13))
	for i := range 1000 {
		picks := make([]byte, len(requestParts))
		for i := range picks {
			picks[i] = byte(random.Uint32())
		}
		f.Add(uint32(i%40), picks, "")
	}
	for i, picks := range wellFormed() {
		f.Add(uint32(i*7), picks, "")
		shared := slices.Clone(picks)
		shared[3] = 6 // Host: api.example.com
		f.Add(uint32(i*7+3), shared, "?q=1")
	}
	f.Fuzz(func(t *testing.T, n uint32, picks []byte, path string) {
		if strings.ContainsAny(path, "\r\n") || len(path) > 200 {
			t.Skip("ends the request line")
		}
		c, err := servers.get(n)
		if errors.Is(err, errNotServed) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		r := requestOf(picks, path)
		told, err := explain.Explain(c.config, c.ups, explain.RawRequest{Method: r.method, URL: "https://shop.example.com" + r.target, Headers: r.lines, Peer: netip.MustParseAddr("127.0.0.1")})
		if err != nil {
			t.Fatalf("%q: %v", r, err)
		}
		if told.Problem == nil && told.Decision.Kind != routing.Refused && strings.Contains(strings.Join(r.lines, "\n"), "33554433") {
			t.Skip("a body that is not sent is waited for")
		}
		served, err := c.ask(r)
		if err != nil {
			t.Fatalf("%q: %v", r, err)
		}
		if said := disagreement(told, served); said != "" {
			t.Errorf("%q\nof %s\n%s\n%s", r, comparedText(n, "API", "DIR"), strings.Join(told.Lines, "\n"), said)
		}
	})
}
