package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/bff/pages"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	storeopen "coatcheck/bff/session/store/open"
	"coatcheck/configs"
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
	number, release, err := freeport.Hold()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer release()
	port := fmt.Sprint(number)
	redis := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--logfile", filepath.Join(dir, "log"))
	if err := redis.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "redis-server is needed (make test installs it):", err)
		return
	}
	defer func() { _ = redis.Process.Kill(); _ = redis.Wait() }()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			break
		} else if time.Now().After(end) {
			fmt.Fprintln(os.Stderr, "redis-server does not answer:", err)
			return
		}
	}
	redisURL = "redis://127.0.0.1:" + port + "/0"
	code = m.Run()
}

// until waits for a condition, two minutes at most: only what never happens may fail,
// however busy the machine is.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// received is one request as the API saw it.
type received struct {
	Method, URI string
	Host        string
	Header      http.Header
	Body        string
}

// api is the API behind: it records what it sees and answers what it is told to.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []received
	answer func(w http.ResponseWriter, r *http.Request)
	tokens int
}

// Marks that no answer, log line or store may show.
const (
	tokenMark    = "tok-MARKED-"
	refreshMark  = "ref-MARKED-"
	passwordMark = "pw-MARKED"
)

func newAPI(t testing.TB) *api {
	t.Helper()
	a := &api{}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // a body that broke off is no call
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mu.Lock()
	a.calls = append(a.calls, received{r.Method, r.RequestURI, r.Host, r.Header.Clone(), string(body)})
	answer := a.answer
	a.tokens++
	n := a.tokens
	a.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	switch r.URL.Path {
	case "/auth/login":
		var in struct{ Email, Password string }
		_ = json.Unmarshal(body, &in)
		if in.Password != passwordMark {
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"error":"no such `+in.Password+`"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"%s%d","refresh_token":"%s%d","expires_in":3600,"user":{"id":%q,"email":%q,"name":"N","secret":"hidden"}}`, tokenMark, n, refreshMark, n, in.Email, in.Email)
	case "/auth/refresh":
		fmt.Fprintf(w, `{"access_token":"%s%d","expires_in":3600}`, tokenMark, n)
	case "/auth/logout":
		w.WriteHeader(204)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q}`, r.RequestURI)
	}
}

// say makes the API answer in another way from now on; nil: as usual.
func (a *api) say(f func(w http.ResponseWriter, r *http.Request)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

// last is the newest request that was no sign-in.
func (a *api) last(t *testing.T) received {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) == 0 {
		t.Fatal("the API was not called")
	}
	return a.calls[len(a.calls)-1]
}

func (a *api) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}

// house is Coatcheck as it stands between a browser and the API.
type house struct {
	t       testing.TB
	address string
	server  *server.Server
	manager *session.Manager
	config  *configs.Config
	api     *api
	logs    *lockedBuffer
	pages   map[string]*pages.Pages
	fault   string
	wrap    func(net.Listener) net.Listener
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
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
	keep   **configs.Config                // where the test wants the configuration
}

var prefixes struct {
	sync.Mutex
	n int
}

// open builds a house and ends it with the test.
func open(t testing.TB, s settings) *house {
	t.Helper()
	h := &house{t: t, api: newAPI(t), logs: &lockedBuffer{}, pages: s.pages, fault: s.fault, wrap: s.wrap}
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
	config, faults := configs.Parse("test.yaml", []byte(text), func(n string) (string, bool) { v, ok := values[n]; return v, ok }, nil)
	if configs.Refused(faults) {
		t.Fatalf("configuration: %v", faults)
	}
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
	store, err := storeopen.Store(config.Sessions.Store, storeopen.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	h.config = config
	h.manager, err = session.NewManager(store, session.Options{Keys: h.keys(),
		Prefix: config.Sessions.Prefix, IdleTimeout: config.Sessions.IdleTimeout, MaxLifetime: config.Sessions.MaxLifetime,
		NearCache: config.Sessions.NearCache, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.server, err = server.New(server.Options{Config: config, Manager: h.manager, Upstreams: ups, Log: log, Access: trap{h.logs, h.fault}, Client: []byte(clientMark), Pages: h.pages})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = l.Addr().String()
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
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		h.t.Logf("write: %v", err)
	}
	method := "GET"
	if isHead {
		method = "HEAD"
	}
	got, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		h.t.Fatalf("no answer to %.80q: %v", request, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		h.t.Fatalf("answer to %.80q broke off: %v", request, err)
	}
	return answer{got, string(body)}
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
	got := h.call("POST /bff/login\n\n"+loginBody(email, passwordMark), append([]string{xcsrf, json_}, headers...)...)
	if got.StatusCode != 200 {
		h.t.Fatalf("sign-in: %d %s\n%s", got.StatusCode, got.body, h.logs)
	}
	return "Cookie: " + cookieOf(h.t, got)
}

func cookieOf(t testing.TB, a answer) string {
	t.Helper()
	set := a.Header["Set-Cookie"]
	if len(set) != 1 {
		t.Fatalf("Set-Cookie: %q", set)
	}
	pair, _, _ := strings.Cut(set[0], ";")
	return pair
}

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
