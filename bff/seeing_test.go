package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// seen is the largest value of every metric that was met so far, by name.
type seen map[string]float64

// scrape reads /metrics of every replica.
func (s seen) scrape(f *fleet) {
	for _, r := range f.replicas {
		a, err := http.Get(r.admin + "/metrics")
		if err != nil {
			f.Fatal(err)
		}
		for lines := bufio.NewScanner(a.Body); lines.Scan(); {
			name, _, _ := strings.Cut(lines.Text(), " ")
			name, _, _ = strings.Cut(name, "{")
			value, err := strconv.ParseFloat(lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:], 64)
			if err == nil && !strings.HasPrefix(name, "#") {
				s[strings.TrimSuffix(name, "_count")] = max(s[strings.TrimSuffix(name, "_count")], value)
			}
		}
		_ = a.Body.Close()
	}
}

// until scrapes until each of names is above zero.
func (s seen) until(f *fleet, names ...string) {
	f.Helper()
	for _, name := range names {
		rig.Until(f.T, name, func() bool { s.scrape(f); return s["coatcheck_"+name] > 0 })
	}
}

// moody is the fleet's API with two habits more: a wrong password, and /api/cut,
// which closes the connection under every other call.
func moody(t *testing.T) *fleetAPI {
	a, cuts := newFleetAPI(t), new(atomic.Int64)
	a.Server.Close()
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case r.URL.Path == "/api/cut" && cuts.Add(1)%2 == 1:
			panic(http.ErrAbortHandler)
		case bytes.Contains(body, []byte(`"guess"`)):
			w.WriteHeader(401)
		default:
			a.ServeHTTP(w, r)
		}
	}))
	return a
}

// seeingFleet is two replicas over a cluster of one Redis, which has no replica to
// acknowledge a write.
func seeingFleet(t *testing.T) (f *fleet, redis string, server *rig.Program) {
	port := freeport.Text(t)
	server = rig.RedisAt(t, port, "--dir", t.TempDir(), "--cluster-enabled", "yes", "--cluster-port", freeport.Text(t))
	redis = "127.0.0.1:" + port
	rig.RedisDo(t, redis, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	rig.Until(t, "the cluster", func() bool {
		info, _ := rig.RedisDo(t, redis, "CLUSTER", "INFO").(string)
		return strings.Contains(info, "cluster_state:ok")
	})
	f = &fleet{T: t, api: moody(t), replicas: []*replica{{}, {}}}
	f.text = strings.NewReplacer("login: {upstream: api, fields", "login: {upstream: api, provider: id, fields", "throttle: {account: 100000,", "throttle: {account: 2,", `    url: "${API}"`, `    url: "${API}"`+"\n    streams_per_session: 1",
		"    logout:\n", seenAccount, "frontends:\n", "  narrow: {url: \"${API}\", max_connections: 1, connect_timeout: 5s}\nproviders:\n  id: {issuer: \""+demoProvider(t)+"\", client_id: c, client_secret: s}\n"+seenCallers+"frontends:\n",
		"    routes:\n", "    routes:\n"+seenRoutes+"      - {path: /narrow/, upstream: narrow, rewrite: /api/, session: none}\n").Replace(fleetConfig)
	f.launch(func(*replica) string { return "redis-cluster://" + redis })
	return f, redis, server
}

// provoked is a fleet in which all that the metrics and the log tell of is made to happen.
type provoked struct{ *fleet }

// wrong signs in with a password that the API refuses.
func (f provoked) wrong(r *replica) int {
	return f.served(func() reply { return f.ask(r, "POST", "/bff/login", `{"email":"mallory","password":"guess"}`, nil) }).status
}

// TestEverythingIsSeen: each metric of docs/metrics.md, and each field and event of
// docs/logs.md, shows on the built program when what it tells of happens.
func TestEverythingIsSeen(t *testing.T) {
	t.Parallel()
	started, redis, server := seeingFleet(t)
	f := provoked{started}
	a, b := f.replicas[0], f.replicas[1]
	s := seen{}
	p := f.signIn(a, "ada")
	f.get(a, "/api/whoami", p)
	f.get(a, "/api/whoami", p)
	f.ask(a, "POST", "/bff/session", "", p)
	f.repeated(s, a, p)
	f.ask(a, "GET", "/a", "", p)             // 404
	guesses := []int{f.wrong(a), f.wrong(a)} // the second counts for two where the store was called away
	if guesses[1] == 401 {
		guesses = append(guesses, f.wrong(a))
	}
	if guesses[0] != 401 || guesses[len(guesses)-1] != 429 {
		t.Errorf("wrong passwords: %v", guesses)
	}
	foreign, _ := http.NewRequest("GET", "http://"+a.host+"/api/whoami", nil)
	foreign.Header.Set("Origin", "https://evil.example")
	if answer, err := a.client.Do(foreign); err != nil || answer.StatusCode != 403 {
		t.Errorf("foreign page: %v %v", answer, err)
	}
	f.atProvider(a)
	f.malformed(a)
	f.streamed(s, a, p)
	f.crowded(s, a)
	s.until(f.fleet, "sessions_live")
	key := f.programs(s, a)
	f.renewals(s)
	f.broughtBack(s, redis)
	other := f.signIn(a, "eve")
	if got := f.served(func() reply { return f.ask(a, "DELETE", "/bff/sessions", "", other) }); got.status != 204 {
		t.Errorf("ending others: %s", got)
	}
	f.signOut(a, other)
	f.endings(a)
	rig.RedisDo(t, redis, "CLIENT", "KILL", "TYPE", "pubsub")
	s.until(f.fleet, "store_resubscribed_total", "store_unacknowledged_total")
	f.reloads(a)
	f.api.CloseClientConnections()
	f.api.Close()
	freeport.Keep(t, f.api.Listener.Addr())
	rig.Until(t, "an open breaker", func() bool { // it rests after a while, so calls go on
		f.get(a, "/open/x", nil)
		s.scrape(f.fleet)
		return s["coatcheck_breaker_open"] > 0
	})
	_ = server.Process.Kill()
	<-server.Exited
	rig.Until(t, "a store that is away, for sessions and for limits", func() bool {
		f.get(b, "/api/whoami", p)
		f.program(b, "GET", "/programs/whoami", "", "Authorization", "Bearer "+key)
		s.scrape(f.fleet)
		return s["coatcheck_store_errors_total"] > 0 && s["coatcheck_caller_limit_degraded_total"] > 0
	})
	for _, d := range described() {
		if s[d.Name] == 0 {
			t.Errorf("%s was never above zero", d.Name)
		}
	}
	f.logged(a, b)
}

// repeated lets connections that are kept end, before a call and under one, until both show:
// on a busy machine a connection may not be kept in time.
func (f provoked) repeated(s seen, r *replica, p *person) {
	rig.Until(f.T, "a dead connection, and a call that was sent twice", func() bool {
		f.api.CloseClientConnections()
		f.get(r, "/api/whoami", p)
		f.get(r, "/api/cut", p)
		s.scrape(f.fleet)
		return s["coatcheck_upstream_stale_total"] > 0 && s["coatcheck_upstream_retries_total"] > 0
	})
}

// demoProvider is the address of a provider that runs until the test ends.
func demoProvider(t *testing.T) string {
	t.Helper()
	var p *provider.Provider
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	var err error
	if p, err = provider.New(provider.Options{Issuer: web.URL}); err != nil {
		t.Fatal(err)
	}
	return web.URL
}

// atProvider sends somebody to the provider's page, and posts what is no logout token.
func (f provoked) atProvider(r *replica) {
	browser := *r.client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	login, _ := http.NewRequest("GET", "http://"+r.host+"/bff/login", nil)
	login.Header = http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	logout, _ := http.NewRequest("POST", "http://"+r.host+"/bff/backchannel-logout/id", strings.NewReader("logout_token=x"))
	logout.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for status, q := range map[int]*http.Request{502: login, 400: logout} { // the provider does not know this client
		answer, err := browser.Do(q)
		if err != nil {
			f.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != status {
			f.Errorf("%s %s: %d, want %d", q.Method, q.URL, answer.StatusCode, status)
		}
	}
}

// malformed sends what the gate refuses.
func (f provoked) malformed(r *replica) {
	_, port, _ := strings.Cut(r.host, ":")
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		f.Fatal(err)
	}
	defer c.Close()
	forged := "/x\",\"level\":\"FORGED\\"
	_, _ = io.WriteString(c, "GET "+forged+" HTTP/1.1\r\nHost: "+r.host+"\r\n\r\n")
	if answer, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || answer.StatusCode/100 != 4 {
		f.Errorf("a path with quotes: %v %v", answer, err)
	}
	rig.Until(f.T, "the line of a path with quotes", func() bool {
		written, _ := json.Marshal(forged)
		return strings.Contains(r.Log.String(), `"path":`+string(written))
	})
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nno colon\r\n\r\n")
	if answer, _ := io.ReadAll(c); !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		f.Errorf("malformed: %q", answer)
	}
}

// streamed keeps a stream open until the metrics show it.
func (f provoked) streamed(s seen, r *replica, p *person) {
	q, _ := http.NewRequest("GET", "http://"+r.host+"/api/stream", nil)
	q.Header.Set("Cookie", p.cookie)
	q.Header.Set("Origin", "http://"+r.host)
	q.Header["X_Odd"] = []string{"does not go on"}
	answer, err := sent(r.client, q)
	if err != nil || answer.StatusCode != 200 {
		f.Fatal(answer, err)
	}
	defer answer.Body.Close()
	if again, err := sent(r.client, q); err != nil || again.StatusCode != 429 {
		f.Errorf("a second stream of one session: %v %v", again, err)
	} else {
		_ = again.Body.Close()
	}
	s.until(f.fleet, "open_streams", "sessions_watched", "upstream_connections_open")
}

// crowded takes the only connection to an API, and lets a call wait for it in vain.
func (f provoked) crowded(s seen, r *replica) {
	rig.Until(f.T, "the only connection", func() bool { // a busy machine may not open one within connect_timeout
		answer, err := r.client.Get("http://" + r.host + "/narrow/stream")
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { _ = answer.Body.Close() })
		return answer.StatusCode == 200
	})
	rig.Until(f.T, "a call that waits for a connection", func() bool { // until connect_timeout: a busy machine may look too late
		busy := make(chan reply, 1)
		go func() { busy <- f.get(r, "/narrow/whoami", nil) }() // ends with connect_timeout
		for {
			select {
			case got := <-busy:
				if got.status != 503 || got.header.Get("Coatcheck-Error") != "upstream_unavailable" || got.header.Get("Retry-After") != "1" {
					f.Errorf("no connection free: %s %v", got, got.header)
				}
				return s["coatcheck_upstream_calls_waiting"] > 0
			case <-time.After(20 * time.Millisecond):
				s.scrape(f.fleet)
			}
		}
	})
	s.until(f.fleet, "upstream_busy_total")
}

// renewals: one that two replicas want at once, one that the API refuses, and one
// that it fails.
func (f provoked) renewals(s seen) {
	rig.Until(f.T, "a replica that waits for another's renewal", func() bool {
		p := f.expired(1)[0]
		release, done := f.holdAPI(), make(chan struct{})
		before, _, _ := f.api.count()
		go func() { // ends with both answers
			defer close(done)
			each(2, 2, func(i int) { f.whoami(f.replicas[i], p) })
		}()
		rig.Until(f.T, "both calls", func() bool { // where the machine stands still for the life of a lease, both renew
			begun, _, _ := f.api.count()
			s.scrape(f.fleet)
			return s["coatcheck_refresh_waits_total"] > 0 || begun > before+1
		})
		release()
		<-done
		return s["coatcheck_refresh_waits_total"] > 0
	})
	people := f.expired(3)
	f.api.set(func(a *fleetAPI) { a.hold, a.current["p1"] = nil, "" })
	if got := f.whoami(f.replicas[0], people[1]); got.status != 401 {
		f.Errorf("refused renewal: %s", got)
	}
	f.api.set(func(a *fleetAPI) { a.answer = 500 })
	if got := f.whoami(f.replicas[0], people[2]); got.status != 502 {
		f.Errorf("failed renewal: %s", got)
	}
	f.api.set(func(a *fleetAPI) { a.answer, a.expiresIn = 0, 3600 })
}

// broughtBack puts the record of an ended session back, as a failover to an older
// server would, until it shows that such a session was ended again: who asked for the end
// does not count it when the answer is lost.
func (f provoked) broughtBack(s seen, redis string) {
	rig.Until(f.T, "a session that came back, and was ended again", func() bool {
		p := f.signIn(f.replicas[0], "back")
		key := p.storeKey()
		dump := rig.RedisDo(f.T, redis, "DUMP", key).(string)
		f.signOut(f.replicas[0], p)
		rig.RedisDo(f.T, redis, "RESTORE", key, "600000", dump)
		rig.RedisDo(f.T, redis, "CLIENT", "KILL", "TYPE", "pubsub")
		rig.RedisDo(f.T, redis, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		rig.Until(f.T, "the end of a session that came back", func() bool {
			return rig.RedisDo(f.T, redis, "EXISTS", key) == int64(0)
		})
		s.scrape(f.fleet)
		return s["coatcheck_sessions_ended_again_total"] > 0
	})
}

// endings: a person ends one of their own sessions, then an operator the other.
func (f provoked) endings(r *replica) {
	p, other := f.signIn(r, "joe"), f.signIn(r, "joe")
	var document struct{ ID string }
	if err := json.Unmarshal([]byte(f.served(func() reply { return f.get(r, "/bff/session", other) }).body), &document); err != nil {
		f.Fatal(err)
	}
	if got := f.served(func() reply { return f.ask(r, "DELETE", "/bff/sessions/"+document.ID, "", p) }); got.status != 204 {
		f.Errorf("ending one: %s", got)
	}
	q, _ := http.NewRequest("DELETE", r.admin+"/admin/sessions?frontend=app&subject=joe", nil)
	q.Header.Set("Authorization", "Bearer admin-token")
	answer, err := sent(http.DefaultClient, q)
	if err != nil || answer.StatusCode != 200 {
		f.Fatal(answer, err)
	}
	_ = answer.Body.Close()
}

// reloads a good file, then a faulty one.
func (f provoked) reloads(r *replica) {
	file := r.Args[len(r.Args)-1]
	good, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	r.hup(f.T, `"outcome":"changed"`)
	if err := os.WriteFile(file, append(good, "surprise: 1\n"...), 0o600); err != nil {
		f.Fatal(err)
	}
	r.hup(f.T, `"outcome":"kept"`)
}

// hup makes the process reread its configuration and waits for its word, new since.
func (r *replica) hup(t *testing.T, word string) {
	t.Helper()
	before := strings.Count(r.Log.String(), word)
	_ = r.Process.Signal(syscall.SIGHUP)
	rig.Until(t, word, func() bool { return strings.Count(r.Log.String(), word) > before })
}

// fields are the names of a table of docs/logs.md: the first column, under a heading.
func fields(t *testing.T, heading string) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(section, -1) {
		names = append(names, m[1])
	}
	if len(names) < 8 {
		t.Fatalf("docs/logs.md, %s: only %q", heading, names)
	}
	return names
}

// seenElsewhere are fields and events that need more than a fleet: the test of traces,
// and TestExchangeRefused in package server, look for them.
var seenElsewhere = []string{"trace_id", "exchange: refused"}

// logged holds the tables of docs/logs.md against the lines of both replicas.
func (f provoked) logged(replicas ...*replica) {
	calls, events, kinds := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range replicas {
		for line := range strings.Lines(r.Log.String()) {
			var l map[string]any
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				f.Errorf("no JSON: %s", line)
			}
			into := map[any]map[string]bool{"call": calls, "security": events}[l["msg"]]
			for name := range l {
				if into != nil {
					into[name] = true
				}
			}
			if l["msg"] == "security" {
				kind := fmt.Sprint(l["event"])
				if l["outcome"] != nil {
					kind += ": " + fmt.Sprint(l["outcome"])
				}
				kinds[kind] = true
			}
		}
	}
	for heading, met := range map[string]map[string]bool{"Fields of a call": calls, "Fields of an event": events, "Security events": kinds} {
		for _, name := range fields(f.T, heading) {
			if !met[name] && !slices.Contains(seenElsewhere, name) {
				f.Errorf("%s: %s was not seen", heading, name)
			}
			delete(met, name)
		}
		delete(met, "bytes_out")
		delete(met, "reason")   // of session_came_back
		delete(met, "withheld") // of events that came more than once a second
		delete(met, "left")     // of keys near their end, which a slow run meets
		delete(met, "key: near_end")
		for name := range met {
			f.Errorf("%s: docs/logs.md does not know %s", heading, name)
		}
	}
}

// TestLogLevelReload: the level follows the file at a reload.
func TestLogLevelReload(t *testing.T) {
	t.Parallel()
	f := &fleet{T: t, api: newFleetAPI(t), replicas: []*replica{{}, {}}}
	f.launch(func(*replica) string { return "memory://" })
	r := f.replicas[0]
	calls := func() int { return strings.Count(r.Log.String(), `"msg":"call"`) }
	file := r.Args[len(r.Args)-1]
	if err := os.WriteFile(file, []byte(fleetConfig+"log: {level: warn}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.hup(t, `"outcome":"changed"`)
	before := calls()
	f.get(r, "/open/x", nil)
	if err := os.WriteFile(file, []byte(fleetConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	r.hup(t, `"outcome":"changed"`)
	f.get(r, "/open/y", nil)
	rig.Until(t, "a line of the second call", func() bool { return strings.Contains(r.Log.String(), "/open/y") })
	if n := calls() - before; n != 1 {
		t.Errorf("%d lines of calls, one was made at level info", n)
	}
}
