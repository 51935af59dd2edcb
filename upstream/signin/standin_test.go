package signin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// now is the time of all control-plane tests.
var now = time.Now().Truncate(time.Second)

// standIn is an API on a real TLS listener that answers what a test wants.
type standIn struct {
	*httptest.Server
	ca    string
	mu    sync.Mutex
	asked []question
	reply []reply
}

// question is a request as the API saw it.
type question struct {
	method, uri string
	header      http.Header
	body        []byte
}

// reply is an answer; the last one of a standIn serves for all further questions.
type reply struct {
	status int
	header map[string]string
	body   string
	delay  chan struct{} // answered only when closed
}

func newStandIn(t testing.TB, replies ...reply) *standIn {
	t.Helper()
	s := &standIn{reply: replies}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(s.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, question{r.Method, r.RequestURI, r.Header.Clone(), body})
	next := s.reply[0]
	if len(s.reply) > 1 {
		s.reply = s.reply[1:]
	}
	s.mu.Unlock()
	if next.delay != nil {
		select {
		case <-next.delay:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // a return would answer 200
		}
	}
	for name, value := range next.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

// questions are what the API was asked so far.
func (s *standIn) questions() []question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]question{}, s.asked...)
}

// at makes c live at the stand-in.
func (s *standIn) at(c *configs.Upstream) *configs.Upstream {
	c.URL, c.CA, c.ConnectTimeout = s.URL, s.ca, time.Minute // no test waits for that
	return c
}

// secrets makes secrets of pairs of names and values.
func secrets(pairs ...string) map[string]credential.Secret {
	m := map[string]credential.Secret{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = credential.NewSecret(pairs[i+1])
	}
	return m
}

func person() map[string]credential.Secret { return secrets("email", "ada@x.test", "password", "pw") }

func browser() mapping.Caller {
	return mapping.Caller{Address: netip.MustParseAddr("203.0.113.9"), UserAgent: "UA/1", RequestID: "req-1",
		ForwardedHost: "shop.example.com", ForwardedProto: "https"}
}

// jwt makes an unsigned JWT.
func jwt(claims string) string {
	b := base64.RawURLEncoding
	return b.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b.EncodeToString([]byte(claims)) + "."
}

// parseMapping reads a mapping as it stands below `upstreams:`.
func parseMapping(t testing.TB, text string) map[string]*configs.Upstream {
	t.Helper()
	var name string
	for line := range strings.SplitSeq(text, "\n") {
		if n, _, ok := strings.Cut(line, ":"); ok && n != "" && n[0] != ' ' && n[0] != '#' {
			name = n
			break
		}
	}
	whole := "sessions: {store: \"memory://\", keys: [\"0123456789abcdef0123456789abcdef-test\"]}\n" +
		"frontends:\n  shop:\n    origins: [\"https://shop.example.com\"]\n" +
		"    login: {upstream: " + name + ", fields: [email, password, \"username?\", \"otp?\"]}\n" +
		"upstreams:\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"
	whole = strings.NewReplacer("${ID}", "id", "${SECRET}", "se cret", "${KEY}", "KEY", "${ANON_KEY}", "ANON").Replace(whole)
	nothing := func(string) (string, bool) { return "", false }
	cfg, faults := read.Text("test.yaml", []byte(whole), nothing, nil)
	if cfg == nil {
		for _, f := range faults {
			if !f.Warning {
				t.Error(f)
			}
		}
		t.FailNow()
	}
	return cfg.Upstreams
}

// newSet compiles upstreams; they are closed with the test.
func newSet(t testing.TB, cfg map[string]*configs.Upstream) *signin.Set {
	t.Helper()
	s, err := signin.New(cfg, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// oneAPI makes a stand-in with a mapping of its own: the lines below `api:`.
func oneAPI(t testing.TB, lines string, replies ...reply) (*signin.Upstream, *standIn) {
	t.Helper()
	s := newStandIn(t, replies...)
	text := "api:\n  url: https://api.example.net\n  " + strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\n  ")
	cfg := parseMapping(t, text)
	s.at(cfg["api"])
	return newSet(t, cfg).Get("api"), s
}

// plain is the shortest mapping.
const plain = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, refresh_token: /refresh, expires_in: /expires}
refresh:
  request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}
logout:
  request: {path: /logout}
`

func signIn(u *signin.Upstream) (*signin.SignedIn, error) {
	return u.Ways.SignIn(context.Background(), person(), browser(), now)
}

// holding makes a credential.
func holding(pairs ...string) *credential.Credential {
	return credential.New(secrets(pairs...), time.Time{}, time.Time{})
}

// sends are the lines that carry c, by name.
func sends(u *signin.Upstream, c *credential.Credential) map[string]string {
	lines := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(u.AppendSend(nil, c, mapping.Caller{})), "\r\n"), "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			lines[name] = value
		}
	}
	return lines
}

// asJSON and asForm read a question's body.
func (q question) asJSON(t testing.TB) any {
	t.Helper()
	var v any
	if err := json.NewDecoder(bytes.NewReader(q.body)).Decode(&v); err != nil {
		t.Fatalf("body is no JSON: %q", q.body)
	}
	return v
}

func (q question) asForm(t testing.TB) map[string]any {
	t.Helper()
	form, err := url.ParseQuery(string(q.body))
	if err != nil || !strings.HasPrefix(q.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		t.Fatalf("body is no form: %q", q.body)
	}
	fields := map[string]any{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	return fields
}
