package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

const fleetConfig = `
listen: 127.0.0.1:${PORT}
admin: {listen: "127.0.0.1:${ADMIN}", token: admin-token}
drain: {delay: 0s, timeout: 5s}
sessions: {store: "${STORE}", keys: ["${KEY}"], idle_timeout: 60s}
upstreams:
  api:
    url: "${API}"
    connect_timeout: 60s
    login:
      timeout: 60s
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /token, refresh_token: /refresh, expires_in: /expires_in}
      user: {at: /user, subject: /id}
    refresh:
      timeout: 60s
      before: 0s
      request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}
    logout:
      timeout: 60s
      request: {path: /logout, body: {refresh_token: "{refresh_token}"}}
frontends:
  app:
    origins: ["http://localhost:${PORT_0}", "http://localhost:${PORT_1}"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    throttle: {account: 100000, address: 100000}
    routes:
      - {path: /api/, upstream: api}
      - {path: /open/, upstream: api, session: none}
`

// fleet is two processes or more of the built program in front of one API. Each reaches
// the store through a link of its own that the test can spoil.
type fleet struct {
	*testing.T
	api      *fleetAPI
	text     string // of the configuration; empty: fleetConfig
	replicas []*replica
}

type replica struct {
	*rig.Program
	link   *rig.Link
	host   string
	admin  string
	client *http.Client
}

// newFleet starts both against the Redis at addr. user, if any, is "name:password@".
func newFleet(t *testing.T, addr, user string) *fleet {
	t.Helper()
	f := &fleet{T: t, api: newFleetAPI(t)}
	for range 2 {
		f.replicas = append(f.replicas, &replica{link: rig.NewLink(t, addr)})
	}
	f.launch(func(r *replica) string { return "redis://" + user + r.link.Addr() + "/0" })
	return f
}

// launch starts the processes; store says where each has its sessions.
func (f *fleet) launch(store func(*replica) string) {
	f.Helper()
	file, err := rig.Binary()
	if err != nil {
		f.Fatal(err)
	}
	config := filepath.Join(f.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(config, []byte(cmp.Or(f.text, fleetConfig)), 0o600); err != nil {
		f.Fatal(err)
	}
	var ports, numbered []string
	for i := range f.replicas {
		ports = append(ports, freeport.Text(f.T))
		numbered = append(numbered, fmt.Sprintf("PORT_%d=%s", i, ports[i]))
	}
	_, key, _ := runCommand(nil, "keygen")
	for i, r := range f.replicas {
		admin := freeport.Text(f.T)
		r.host, r.admin = "localhost:"+ports[i], "http://127.0.0.1:"+admin
		r.client = rig.Client("127.0.0.1:" + ports[i])
		env := append([]string{"PORT=" + ports[i], "ADMIN=" + admin, "STORE=" + store(r), "API=" + f.api.URL, "KEY=" + strings.TrimSpace(key)}, numbered...)
		args := []string{file, "serve", "-config", config}
		r.Program = rig.Start(f.T, env, args[0], args[1:]...)
	}
	for _, r := range f.replicas {
		rig.Until(f.T, "a replica that runs", func() bool { return rig.Status(r.admin+"/livez") == 200 })
		rig.Until(f.T, "a replica that serves", func() bool { return f.get(r, "/open/x", nil).status == 200 })
	}
}

// person is someone signed in; the API answers their calls with their name.
type person struct{ email, cookie string }

type reply struct {
	status int
	body   string
	header http.Header
}

func (a reply) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// ask sends a request as a page of ours does. Status 0 says that no answer came.
func (f *fleet) ask(r *replica, method, path, body string, p *person) reply {
	q, _ := http.NewRequest(method, "http://"+r.host+path, strings.NewReader(body))
	q.Header.Set("X-CSRF", "1")
	q.Header.Set("Origin", "http://"+r.host)
	q.Header.Set("Content-Type", "application/json")
	if p != nil {
		q.Header.Set("Cookie", p.cookie)
	}
	a, err := r.client.Do(q)
	if err != nil {
		return reply{body: err.Error()}
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return reply{a.StatusCode, string(b), a.Header}
}

func (f *fleet) get(r *replica, path string, p *person) reply { return f.ask(r, "GET", path, "", p) }

func (f *fleet) trySignIn(r *replica, email string) (*person, reply) {
	a := f.ask(r, "POST", "/bff/login", `{"email":"`+email+`","password":"pw"}`, nil)
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	return &person{email: email, cookie: cookie}, a
}

func (f *fleet) signIn(r *replica, email string) *person {
	f.Helper()
	var p *person
	a := f.served(func() (a reply) { p, a = f.trySignIn(r, email); return a })
	if a.status != 200 || p.cookie == "" {
		f.Fatalf("sign-in of %s: %s\n%s", email, a, &r.Log)
	}
	return p
}

// signOut must succeed.
func (f *fleet) signOut(r *replica, p *person) {
	f.Helper()
	if a := f.served(func() reply { return f.ask(r, "POST", "/bff/logout", "", p) }); a.status != 204 {
		f.Fatalf("sign-out of %s: %s\n%s", p.email, a, &r.Log)
	}
}

// ticket is what the cookie carries.
func (p *person) ticket() string {
	_, value, _ := strings.Cut(p.cookie, "=")
	return value
}

// judge holds an answer against what must be true whatever happens: one's own data,
// or a word that the store is away for now, with the cookie kept.
func (f *fleet) judge(a reply, p *person) (ok, away bool) {
	switch {
	case a.status == 200 && a.body == p.email:
		return true, false
	case a.status == 200:
		f.Errorf("%s was given %q", p.email, a.body)
	case isAway(a):
		return false, true
	default:
		f.Errorf("%s: %s", p.email, a)
	}
	return false, false
}

// isAway reports whether an answer says that the store is away for now, and leaves the cookie.
func isAway(a reply) bool {
	return a.status == 503 && a.header.Get("Retry-After") != "" && a.header.Get("Set-Cookie") == "" && strings.Contains(a.body, "store_unavailable")
}

// calledAway is isAway of an answer that is not read. The operators' listener has no codes.
func calledAway(a *http.Response) bool {
	code, coded := a.Header["Coatcheck-Error"]
	return a.StatusCode == 503 && a.Header.Get("Retry-After") != "" && (!coded || code[0] == "store_unavailable")
}

// whileAway makes a call that needs the store. On a machine that stalls, the store may be
// called away for a moment; then the call is made again, as the answer says, for two minutes
// at most.
func whileAway(call func() (away bool)) {
	for end := time.Now().Add(2 * time.Minute); call() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}

// served is the answer to a call made by whileAway.
func (f *fleet) served(call func() reply) (a reply) {
	whileAway(func() bool { a = call(); return isAway(a) })
	return a
}

// sent is served for a request whose answer is not read here.
func sent(client *http.Client, q *http.Request) (a *http.Response, err error) {
	whileAway(func() bool {
		if a != nil {
			_ = a.Body.Close()
		}
		again := q.Clone(q.Context())
		if q.GetBody != nil {
			again.Body, _ = q.GetBody()
		}
		a, err = client.Do(again)
		return err == nil && calledAway(a)
	})
	return a, err
}

// whoami is served what the API says of a person. Another one's data is wrong whatever happens.
func (f *fleet) whoami(r *replica, p *person) reply {
	a := f.served(func() reply { return f.get(r, "/api/whoami", p) })
	if a.status == 200 && a.body != p.email {
		f.Errorf("%s was given %q", p.email, a.body)
	}
	return a
}

// succeeds makes a call that must succeed.
func (f *fleet) succeeds(r *replica, p *person) {
	f.Helper()
	if a := f.whoami(r, p); a.status != 200 {
		f.Errorf("%s at %s: %s", p.email, r.host, a)
	}
}

// traffic is calls of several persons at both replicas until settle. calls counts
// those that were answered well, away those told that the store is away.
type traffic struct {
	f           *fleet
	people      []*person
	stop        chan struct{}
	work        sync.WaitGroup
	calls, away atomic.Int64
}

func (f *fleet) traffic(people ...*person) *traffic {
	x := &traffic{f: f, people: people, stop: make(chan struct{})}
	for _, p := range people {
		for _, r := range f.replicas {
			x.work.Go(func() { x.run(r, p) })
		}
	}
	rig.Until(f.T, "traffic", func() bool { return x.calls.Load() > 20 })
	return x
}

func (x *traffic) run(r *replica, p *person) { // ends with settle
	for {
		select {
		case <-x.stop:
			return
		case <-time.After(15 * time.Millisecond):
		}
		ok, away := x.f.judge(x.f.get(r, "/api/whoami", p), p)
		if ok {
			x.calls.Add(1)
		} else if away {
			x.away.Add(1)
		}
	}
}

// settle waits until everybody is served at both replicas again, and ends it.
func (x *traffic) settle() {
	x.f.Helper()
	for _, r := range x.f.replicas {
		for _, p := range x.people {
			rig.Until(x.f.T, "recovery of "+r.host, func() bool { return x.f.get(r, "/api/whoami", p).status == 200 })
		}
	}
	close(x.stop)
	x.work.Wait()
	x.f.Logf("%d calls answered, %d told that the store is away", x.calls.Load(), x.away.Load())
}
