package process

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/rig"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// reloaded is a process's rooms, in this process, whose configuration a test changes.
type reloaded struct {
	*testing.T
	*Process
	ended sync.Once
	text  string
	logs  *rig.Buffer
	api   string
}

const (
	reloadKeyA   = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
	reloadKeyB   = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
	reloadConfig = `
listen: 127.0.0.1:0
admin: {listen: "127.0.0.1:0", token: first-admin-token}
log: {level: info}
trusted_proxies: []
drain: {delay: 0s, timeout: 5s}
limits: {header: 2KiB, header_timeout: 1h, body_idle: 1h, keep_alive: 1h}
sessions: {store: "memory://", keys: ["` + reloadKeyA + `"], near_cache: 5s}
upstreams:
  api:
    url: "API"
    login:
      request: {path: /login, body: {email: "{email}"}}
      credential: {access_token: /token}
      user: {at: /user, subject: /id}
frontends:
  app:
    origins: ["http://app.localhost"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api}]
`
)

func openReloaded(t *testing.T) *reloaded {
	t.Helper()
	return openInside(t, reloadConfig, nil, func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/login") {
			_, _ = io.WriteString(w, `{"token":"t","user":{"id":"u"}}`)
			return
		}
		_, _ = io.WriteString(w, q.URL.Path)
	})
}

// openInside builds the rooms of a configuration, whose API is where API stands in it.
func openInside(t *testing.T, text string, env map[string]string, answer http.HandlerFunc) *reloaded {
	t.Helper()
	api := httptest.NewServer(answer)
	t.Cleanup(api.Close)
	r := &reloaded{T: t, api: api.URL, text: strings.Replace(text, "API", api.URL, 1), logs: new(rig.Buffer)}
	getenv := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	load := func() (*configs.Config, []configs.Fault) {
		return read.Text("coatcheck.yaml", []byte(r.text), getenv, nil)
	}
	config, faults := load()
	if configs.Refused(faults) {
		t.Fatal(faults)
	}
	var err error
	if r.Process, err = New(Options{Config: config, Load: load, Getenv: getenv, Log: r.logs}); err != nil {
		t.Fatal(err)
	}
	if err := r.listen(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.server.Serve(r.public) }()   // ends with Shutdown
	go func() { _ = r.admin.Serve(r.operators) }() // ends with close
	t.Cleanup(r.end)
	return r
}

// end ends the rooms, once.
func (r *reloaded) end() {
	r.ended.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = r.server.Shutdown(ctx)
		_ = r.close()
	})
}

// change replaces text of the configuration and reloads it.
func (r *reloaded) change(old, text string) {
	r.Helper()
	if !strings.Contains(r.text, old) {
		r.Fatalf("no %q in the configuration", old)
	}
	r.text = strings.Replace(r.text, old, text, 1)
	r.reload()
}

// ask sends one request along a connection of its own.
func (r *reloaded) ask(method, path, body string, headers ...string) (status int, header http.Header, text string) {
	r.Helper()
	q, _ := http.NewRequest(method, "http://"+r.public.Addr().String()+path, strings.NewReader(body))
	q.Host, q.Close = "app.localhost", true
	q.Header = http.Header{"X-Csrf": {"1"}, "Content-Type": {"application/json"}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		q.Header.Set(name, value)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		r.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, a.Header, string(b)
}

// signIn returns the Cookie header of a new session.
func (r *reloaded) signIn() string {
	r.Helper()
	status, header, body := r.ask("POST", "/bff/login", `{"email":"ada"}`)
	if status != 200 {
		r.Fatalf("sign-in: %d %s", status, body)
	}
	cookie, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	return "Cookie: " + cookie
}

// document is the session document that a cookie opens.
func (r *reloaded) document(cookie string) (d struct {
	Authenticated bool
	IdleExpiresIn int `json:"idle_expires_in"`
	ExpiresIn     int `json:"expires_in"`
}) {
	r.Helper()
	_, _, body := r.ask("GET", "/bff/session", "", cookie)
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		r.Fatal(err)
	}
	return d
}

func (r *reloaded) logged(text string) {
	r.Helper()
	rig.Until(r.T, "the line "+text, func() bool { return strings.Contains(r.logs.String(), text) })
}

// reloadRows are the keys outside upstreams and frontends, and what shows that a reload
// took a change of each into use, or refused it. A new key needs a new row.
var reloadRows = map[string]func(r *reloaded){
	"listen":          refuses("listen", "listen: 127.0.0.1:0", "listen: 127.0.0.2:0"),
	"tls":             refuses("tls", "\nadmin:", "\ntls: {cert: a, key: b}\nadmin:"),
	"admin.listen":    refuses("admin.listen", `"127.0.0.1:0"`, `"127.0.0.2:0"`),
	"sessions.store":  refuses("sessions.store", "memory://", "redis://127.0.0.1:1/0"),
	"sessions.prefix": refuses("sessions.prefix", "near_cache: 5s", "near_cache: 5s, prefix: other"),
	"trusted_proxies": func(r *reloaded) {
		r.change("trusted_proxies: []", "trusted_proxies: [127.0.0.1]")
		r.ask("GET", "/bff/session", "", "X-Forwarded-For: 203.0.113.9")
		r.logged(`"address":"203.0.113.9"`)
	},
	"health_path": func(r *reloaded) {
		r.change("\ndrain:", "\nhealth_path: /up\ndrain:")
		if status, _, _ := r.ask("GET", "/up", ""); status != 204 {
			r.Errorf("health: %d", status)
		}
	},
	"admin.token": func(r *reloaded) {
		r.change("first-admin-token", "other-admin-token")
		q, _ := http.NewRequest("GET", "http://"+r.operators.Addr().String()+"/admin/sessions?frontend=app&subject=u", nil)
		q.Header.Set("Authorization", "Bearer other-admin-token")
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			r.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != 200 {
			r.Errorf("admin API: %d", a.StatusCode)
		}
	},
	"log.level": func(r *reloaded) {
		r.change("level: info", "level: error")
		r.ask("GET", "/bff/hidden", "")
		r.change("level: error", "level: info")
		r.ask("GET", "/bff/shown", "")
		r.logged("/bff/shown")
		if strings.Contains(r.logs.String(), "/bff/hidden") {
			r.Error("a line below the level was written")
		}
	},
	"drain.delay": drains, "drain.timeout": drains,
	"limits.header": limited(func() string {
		return "GET /bff/session HTTP/1.1\r\nHost: app.localhost\r\nX: " + strings.Repeat("x", 3000) + "\r\n\r\n"
	}, "header: 2KiB", "header: 8KiB", "HTTP/1.1 200"),
	"limits.header_timeout": limited(func() string { return "GET / HTTP/1.1\r\nHo" },
		"header_timeout: 1h", "header_timeout: 500ms", "HTTP/1.1 408"),
	"limits.body_idle": limited(func() string {
		return "POST /bff/login HTTP/1.1\r\nHost: app.localhost\r\nX-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
	}, "body_idle: 1h", "body_idle: 500ms", "HTTP/1.1 408"),
	"limits.keep_alive": func(r *reloaded) {
		kept := r.dial()
		kept.get(r)
		r.change("keep_alive: 1h", "keep_alive: 500ms")
		kept.get(r) // the wait before it began under the old limit
		for name, c := range map[string]*connection{"kept": kept, "new": r.dial()} {
			if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
				r.Errorf("%s connection: %v where its end is due", name, err)
			}
		}
	},
	"sessions.keys": func(r *reloaded) {
		cookie := r.signIn()
		r.change(`["`+reloadKeyA, `["`+reloadKeyB+`", "`+reloadKeyA)
		if !r.document(cookie).Authenticated {
			r.Error("a session under the second key is gone")
		}
		r.change(`", "`+reloadKeyA+`"]`, `"]`)
		if r.document(cookie).Authenticated {
			r.Error("a session under a key that was taken out goes on")
		}
		r.logged("sealed under a key that is not in sessions.keys")
	},
	"sessions.idle_timeout": func(r *reloaded) {
		cookie := r.signIn()
		r.change("near_cache: 5s", "near_cache: 5s, idle_timeout: 100s")
		if d := r.document(cookie); !d.Authenticated || d.IdleExpiresIn > 100 {
			r.Errorf("document: %+v", d)
		}
	},
	"sessions.max_lifetime": func(r *reloaded) {
		r.change("near_cache: 5s", "near_cache: 5s, max_lifetime: 2000s")
		if d := r.document(r.signIn()); !d.Authenticated || d.ExpiresIn > 2000 {
			r.Errorf("document: %+v", d)
		}
	},
	"sessions.near_cache": func(r *reloaded) {
		cookie := r.signIn()
		r.change("near_cache: 5s", "near_cache: 0s")
		before := r.manager.Stats().NearHits
		r.document(cookie)
		r.document(cookie)
		if hits := r.manager.Stats().NearHits; hits != before {
			r.Errorf("%d answers came from a near cache that is off", hits-before)
		}
	},
	"sessions.max_per_person": func(r *reloaded) {
		first := r.signIn()
		r.change("near_cache: 5s", "near_cache: 5s, max_per_person: 1")
		r.signIn()
		if r.document(first).Authenticated {
			r.Error("two sessions where one is allowed")
		}
	},
	"upstreams": func(r *reloaded) {
		cookie := r.signIn()
		r.change(r.api, r.api+"/moved")
		if _, _, body := r.ask("GET", "/api/x", "", cookie); body != "/moved/api/x" {
			r.Errorf("the API was asked for %s", body)
		}
	},
	"providers": func(r *reloaded) {
		r.change("    login: {upstream: api", "    login: {provider: id, upstream: api")
		r.logged("the configuration has faults") // nobody wrote id down yet
		r.change("\nupstreams:", "\nproviders: {id: {client_id: first-client, authorization: \"http://127.0.0.1:1/authorize\", token: \"http://127.0.0.1:1/token\", user: {url: \"http://127.0.0.1:1/user\", subject: /id}}}\nupstreams:")
		r.logged(`"event":"configuration","outcome":"changed"`)
		sentTo := func(client string) {
			q, _ := http.NewRequest("GET", "http://"+r.public.Addr().String()+"/bff/login", nil)
			q.Host = "app.localhost"
			a, err := http.DefaultTransport.RoundTrip(q)
			if err != nil {
				r.Fatal(err)
			}
			_ = a.Body.Close()
			if to := a.Header.Get("Location"); !strings.HasPrefix(to, "http://127.0.0.1:1/authorize?") || !strings.Contains(to, client) {
				r.Errorf("%d, to %q\n%s", a.StatusCode, to, r.logs)
			}
		}
		sentTo("first-client")
		r.change("first-client", "second-client")
		sentTo("second-client")
	},
	"callers": func(r *reloaded) {
		key := apikey.New()
		hash := hex.EncodeToString(key.Hash[:])
		r.change("frontends:\n", "callers: {robot: {keys: [\"sha256:"+hash+"\"]}}\nfrontends:\n")
		r.change("path: /api/, upstream: api", "path: /api/, upstream: api, session: none, callers: [robot]")
		if _, _, body := r.ask("GET", "/api/x", "", "X-Api-Key: "+key.Secret.Reveal()); body != "/api/x" {
			r.Errorf("the new key: %s", body)
		}
		r.change("sha256:"+hash, "sha256:"+strings.Repeat("0", 64))
		if status, _, _ := r.ask("GET", "/api/x", "", "X-Api-Key: "+key.Secret.Reveal()); status != 401 {
			r.Errorf("a key that was taken out: %d", status)
		}
		r.logged(`"event":"key","outcome":"ended","caller":"robot"`)
		made, _, err := r.programs.Keys.Issue(context.Background(), "robot", "", 0)
		if err != nil {
			r.Fatal(err)
		}
		r.change("path: /api/, upstream: api, session: none, callers: [robot]", "path: /api/, upstream: api")
		r.change("callers: {robot: {keys: [\"sha256:"+strings.Repeat("0", 64)+"\"]}}\n", "")
		r.logged(`"event":"key","outcome":"ended","caller":"robot","key":"` + made.ID + `"`)
	},
	"frontends": func(r *reloaded) {
		cookie := r.signIn()
		r.change("path: /api/", "path: /v2/")
		if _, _, body := r.ask("GET", "/v2/x", "", cookie); body != "/v2/x" {
			r.Errorf("the new route: %s", body)
		}
	},
}

func drains(r *reloaded) {
	r.change("delay: 0s, timeout: 5s", "delay: 1ms, timeout: 7s")
	r.drain(make(chan os.Signal))
	r.logged(`"msg":"draining","delay":"1ms","timeout":"7s"`)
}

// refuses is a row of a key whose change is refused by name and changes nothing else.
func refuses(key, old, text string) func(*reloaded) {
	return func(r *reloaded) {
		r.text = strings.Replace(r.text, "path: /api/", "path: /v2/", 1)
		r.change(old, text)
		r.logged(key + " cannot change while serving; restart")
		if _, _, body := r.ask("GET", "/api/x", ""); !strings.Contains(body, "not_authenticated") {
			r.Errorf("the route of before: %s", body)
		}
	}
}

// connection is one of a browser's, used more than once.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func (r *reloaded) dial() *connection {
	r.Helper()
	c, err := net.Dial("tcp", r.public.Addr().String())
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return &connection{c, bufio.NewReader(c)}
}

// get makes one call that is answered, so that the connection waits for the next one.
func (c *connection) get(r *reloaded) {
	r.Helper()
	fmt.Fprint(c, "GET /bff/session HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
	a, err := http.ReadResponse(c.in, nil)
	if err != nil {
		r.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, a.Body)
	if a.StatusCode != 200 {
		r.Fatalf("a plain call: %d", a.StatusCode)
	}
}

// limited is a row of a limit: what is sent has such an answer under the new one, along
// a new connection and along one that was open before.
func limited(sent func() string, old, text, answer string) func(*reloaded) {
	return func(r *reloaded) {
		kept := r.dial()
		kept.get(r)
		r.change(old, text)
		for name, c := range map[string]*connection{"kept": kept, "new": r.dial()} {
			if name == "kept" {
				c.get(r)
			}
			fmt.Fprint(c, sent())
			line, err := c.in.ReadString('\n')
			if !strings.HasPrefix(line, answer) {
				r.Errorf("%s connection: %q, %v; want %s", name, line, err, answer)
			}
		}
	}
}

// TestReloadTakesEffect: a changed key shows in what the process does, without a restart,
// or the change is refused and nothing changes at all.
func TestReloadTakesEffect(t *testing.T) {
	for _, key := range topKeys(reflect.TypeFor[configs.Config](), "") {
		row := reloadRows[key]
		if row == nil {
			t.Errorf("no row says what a reload does with %s", key)
			continue
		}
		t.Run(key, func(t *testing.T) { row(openReloaded(t)) })
	}
}

// topKeys are the keys of the file's fixed sections.
func topKeys(section reflect.Type, path string) (keys []string) {
	for i := range section.NumField() {
		f := section.Field(i)
		name := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
		if f.Anonymous {
			name = path
		}
		switch {
		case f.Tag.Get("yaml") == "-":
		case f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == section.PkgPath():
			keys = append(keys, topKeys(f.Type, name)...)
		default:
			keys = append(keys, name)
		}
	}
	return keys
}

// TestReloadFailsAsAWhole: where one room refuses the new configuration, no other has
// taken it into use; the line of it says why, and that what worked is no warning.
func TestReloadFailsAsAWhole(t *testing.T) {
	r := openReloaded(t)
	r.text = strings.Replace(r.text, "header: 2KiB", "header: 8KiB", 1)
	r.text = strings.Replace(r.text, "level: info", "level: debug", 1)
	r.text = strings.Replace(r.text, "first-admin-token", "other-admin-token", 1)
	for _, row := range []struct{ old, text, why string }{
		{"    login: {upstream", "    spa: {dir: /nowhere/at/all}\n    login: {upstream", "spa.dir"},
		{"    url: ", "    ca: /nowhere/ca.pem\n    url: ", "ca"},
		{`keys: ["` + reloadKeyA, `keys: ["` + reloadKeyB + `", "` + reloadKeyB, "key"},
		{`keys: ["` + reloadKeyA, `keys: ["${LATER}", "` + reloadKeyA, "does not see variables that were set after its start"},
		{"\nlimits", "\nsurprise: 1\nlimits", "the configuration has faults"},
	} {
		before, config := r.text, r.config
		r.change("path: /api/", "path: /v2/")
		if r.config == config {
			t.Fatalf("the plain change was refused\n%s", r.logs)
		}
		r.logged(`"level":"INFO","msg":"security","event":"configuration","outcome":"changed"`)
		r.text = before
		level := r.level.Level()
		config = r.config
		r.change(row.old, row.text)
		r.logged(row.why)
		if r.config != config || r.level.Level() != level {
			t.Errorf("%s: half of it was taken", row.why)
		}
		if _, _, body := r.ask("GET", "/v2/x", ""); !strings.Contains(body, "not_authenticated") {
			t.Errorf("%s: the route of before: %s", row.why, body)
		}
		r.text = before
	}
}
