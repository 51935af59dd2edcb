package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/rig"
	"coatcheck/bff/server"
	"coatcheck/bff/serviceaccount"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	storeopen "coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/configs/configtest"
	"coatcheck/configs/read"
	"coatcheck/upstream/signin"
)

// redisURL is the real Redis of this run.
var redisURL string

func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	dir, err := os.MkdirTemp("", "coatcheck-redis")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer os.RemoveAll(dir)
	address, stop, err := rig.OpenRedis("--dir", dir, "--logfile", filepath.Join(dir, "log"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer stop()
	redisURL = "redis://" + address + "/0"
	code = m.Run()
}

// house is Coatcheck as it stands between a browser and the API.
type house struct {
	t        testing.TB
	address  string
	server   *server.Server
	manager  *session.Manager
	programs *auth.Programs
	config   *configs.Config
	api      *rig.API
	logs     *rig.Buffer
	pages    map[string]*pages.Pages
	fault    string
	wrap     func(net.Listener) net.Listener
	counts   *metrics.Metrics
	stores   func(store.Store) store.Store // see settings.faulty
	now      func() time.Time              // the process's clock; nil: the machine's
}

// usual is a configuration with both layouts: shop at its own origin, desk and till
// on the shared host api.example.com.
const usual = `
listen: "127.0.0.1:0"
sessions: {store: "${STORE}", prefix: "${PREFIX}", keys: ["${KEY}"], near_cache: "${NEAR}"}
limits: {body_idle: 60s}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user, subject: /id}
    refresh: {request: {path: /auth/refresh, body: {refresh_token: "{refresh_token}"}}, rejected: [401]}
    logout: {request: {path: /auth/logout, body: {refresh_token: "{refresh_token}"}}}
    private_paths: [/internal]
  other: {url: "${API}/other"}
  gone: {url: "http://127.0.0.1:1"}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id, email]}
    routes:
      - {path: /api/, upstream: api, header_timeout: 60s, max_body: 1KiB}
      - {path: /api/long/, upstream: api, rewrite: /long/, max_body: 0, websocket: true}
      - {path: /slash/, upstream: api, encoded_slash: pass}
      - {path: /v/, upstream: api, rewrite: /v2/, methods: [GET]}
      - {path: /root/, upstream: api, rewrite: /}
      - {path: /maybe/, upstream: api, session: optional}
      - {path: /open/, upstream: api, session: none}
      - {path: /hook/, upstream: api, session: none, guard: false, methods: [POST]}
      - {path: /other/, upstream: other, rewrite: /}
      - {path: /gone/, upstream: gone, session: none}
      - {path: /plain/, upstream: api, isolate: false}
  desk:
    origins: ["https://desk.example.com"]
    host: api.example.com
    cookie: {same_site: lax, persistent: true}
    login: {upstream: api, fields: [email, password], expose: [id, email]}
    cors: {allow_headers: [X-Extra], expose_headers: [X-Total]}
    routes: [{path: /api/, upstream: api}]
  till:
    origins: ["https://till.example.com"]
    host: api.example.com
    login: {upstream: api, fields: [email, password], expose: [id]}
    throttle: {account: 3, address: 50, window: 1m}
    routes: [{path: /api/, upstream: api}]
  east:
    origins: ["https://pages.example.com"]
    host: both.example.com
    base_path: /east
    login: {upstream: api, fields: [email, password]}
    routes: [{path: /api/, upstream: api}]
  west:
    origins: ["https://pages.example.com"]
    host: both.example.com
    base_path: /west
    login: {upstream: api, fields: [email, password]}
    routes: [{path: /api/, upstream: api}]
`

// settings change the usual house.
type settings struct {
	config string // in place of usual
	store  string // memory:// unless given
	near   string // 1s unless given
	edit   func(yaml string) string
	pages  map[string]*pages.Pages
	wrap   func(net.Listener) net.Listener // such as TLS; nil: plain
	fault  string                          // log lines that hold this are a fault of the program
	faulty func(store.Store) store.Store   // what becomes of the store; nil: nothing
	keep   **configs.Config                // where the test wants the configuration
	values map[string]string               // of variables, beside the usual
}

var prefixes struct {
	sync.Mutex
	n int
}

// open builds a house and ends it with the test.
func open(t testing.TB, s settings) *house {
	t.Helper()
	h := &house{t: t, api: rig.NewAPI(t), logs: new(rig.Buffer), pages: s.pages, fault: s.fault, wrap: s.wrap, stores: s.faulty}
	text := s.config
	if text == "" {
		text = usual
	}
	if s.edit != nil {
		text = s.edit(text)
	}
	prefixes.Lock()
	prefixes.n++
	prefix := fmt.Sprintf("t%d", prefixes.n)
	prefixes.Unlock()
	values := map[string]string{"STORE": or(s.store, "memory://"), "PREFIX": prefix, "NEAR": or(s.near, "1s"), "API": h.api.URL,
		"KEY": "dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBzZXJ2ZXIgdGVzdHM="}
	maps.Copy(values, s.values)
	config, faults := read.Text("test.yaml", []byte(text), func(n string) (string, bool) { v, ok := values[n]; return v, ok }, nil)
	if configs.Refused(faults) {
		t.Fatalf("configuration: %v", faults)
	}
	configtest.Patient(config)
	if s.keep != nil {
		*s.keep = config
	}
	h.build(config)
	return h
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// keys are the house's sealing keys.
func (h *house) keys() []credential.Secret {
	key, err := configs.KeyBytes(h.config.Sessions.Keys[0])
	if err != nil {
		h.t.Fatal(err)
	}
	return []credential.Secret{credential.NewSecret(string(key))}
}

func (h *house) build(config *configs.Config) {
	t := h.t
	log := slog.New(slog.NewJSONHandler(trap{h.logs, h.fault}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sessions, err := storeopen.Store(config.Sessions.Store, storeopen.Options{Log: log, Timeout: time.Minute}) // a busy machine's Redis is not away
	if err != nil {
		t.Fatal(err)
	}
	if h.stores != nil {
		sessions = h.stores(sessions)
	}
	h.config = config
	h.manager, err = session.NewManager(sessions, session.Options{Keys: h.keys(),
		Prefix: config.Sessions.Prefix, IdleTimeout: config.Sessions.IdleTimeout, MaxLifetime: config.Sessions.MaxLifetime,
		NearCache: config.Sessions.NearCache, Log: log, Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	ups, err := signin.New(config.Upstreams, signin.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	h.programs = auth.NewPrograms(apikey.NewTable(&apikey.Memory{}, 0, apikey.Events{}), nil, sessions, config.Sessions.Prefix)
	h.programs.Accounts = serviceaccount.NewKeeper(serviceaccount.Options{Store: sessions, Log: log, Session: session.Options{Keys: h.keys(),
		Prefix: config.Sessions.Prefix, NearCache: config.Sessions.NearCache, Log: log}})
	h.counts = metrics.New("", "")
	h.server, err = server.New(server.Options{Config: config, Manager: h.manager, Upstreams: ups, Log: log, Access: trap{h.logs, h.fault},
		Programs: h.programs, Client: []byte(clientMark), Pages: h.pages, Metrics: h.counts})
	if err != nil {
		t.Fatal(err)
	}
	h.address = "127.0.0.1:" + freeport.Text(t) // which nobody else is given once it is closed
	l, err := net.Listen("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	if h.wrap != nil {
		l = h.wrap(l)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = h.server.Serve(l) }() // ends with Shutdown
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := h.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		<-served
		ups.Close()
		_ = h.programs.Accounts.Close()
		_ = h.manager.Close()
	})
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (a answer) code() string { return a.Header.Get("Coatcheck-Error") }

// call sends one request, written as it stands: "GET /x", header lines, and after an
// empty line a body. Connection: close and, for a body, Content-Length are added.
func (h *house) call(request string, headers ...string) answer {
	h.t.Helper()
	head, body, _ := strings.Cut(request, "\n\n")
	var b strings.Builder
	b.WriteString(head + " HTTP/1.1\r\n")
	hasHost, hasLength := false, body == ""
	for _, line := range headers {
		if line == "" {
			continue
		}
		hasHost = hasHost || strings.HasPrefix(line, "Host:")
		hasLength = hasLength || strings.HasPrefix(line, "Transfer-Encoding:") || strings.HasPrefix(line, "Content-Length:")
		b.WriteString(line + "\r\n")
	}
	if !hasHost {
		b.WriteString("Host: shop.example.com\r\n")
	}
	if !hasLength {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("Connection: close\r\n\r\n" + body)
	return h.raw(b.String(), strings.HasPrefix(request, "HEAD "))
}

// raw sends bytes as they are and reads one answer.
func (h *house) raw(request string, isHead bool) answer {
	h.t.Helper()
	got, body := rig.Raw(h.t, h.address, request, isHead)
	return answer{got, body}
}

// clientMark stands for the browser client.
const clientMark = "export {}"

// Headers of a frontend's own page.
const (
	xcsrf     = "X-CSRF: 1"
	json_     = "Content-Type: application/json"
	shop      = "Origin: https://shop.example.com"
	desk      = "Origin: https://desk.example.com"
	till      = "Origin: https://till.example.com"
	apiHost   = "Host: api.example.com"
	sameSite  = "Sec-Fetch-Site: same-site"
	sameOrign = "Sec-Fetch-Site: same-origin"
)

func loginBody(email, password string) string {
	b, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(b)
}

// signIn signs a person in at the shop and returns the Cookie header.
func (h *house) signIn(email string, headers ...string) string {
	h.t.Helper()
	if len(headers) == 0 {
		headers = []string{shop}
	}
	got := h.call("POST /bff/login\n\n"+loginBody(email, rig.PasswordMark), append([]string{xcsrf, json_}, headers...)...)
	if got.StatusCode != 200 {
		h.t.Fatalf("sign-in: %d %s\n%s", got.StatusCode, got.body, h.logs)
	}
	return "Cookie: " + cookieOf(h.t, got)
}

func cookieOf(t testing.TB, a answer) string { t.Helper(); return rig.Cookie(t, a.Response) }

// want checks status and code.
func (h *house) want(a answer, status int, code string) {
	h.t.Helper()
	if a.StatusCode != status || a.code() != code {
		h.t.Errorf("got %d %q, want %d %q\nbody: %s", a.StatusCode, a.code(), status, code, a.body)
	}
	if code == "" {
		return
	}
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
		RequestID                 string `json:"request_id"`
	}
	if a.Request != nil && a.Request.Method == "HEAD" {
		return
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Code != code || p.Status != status || p.Type != "about:blank" || p.Title == "" || p.RequestID != a.Header.Get("X-Request-Id") {
		h.t.Errorf("problem document: %s (%v)", a.body, err)
	}
	if a.Header.Get("Content-Type") != "application/problem+json" || a.Header.Get("Cache-Control") != "no-store" {
		h.t.Errorf("headers of a problem: %v", a.Header)
	}
}
