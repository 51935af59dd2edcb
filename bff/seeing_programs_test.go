package main

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/bff/rig"
)

// seenKey is a key of the configuration, and seenCallers and seenRoutes are who calls
// where in [TestEverythingIsSeen].
var seenKey = apikey.New()

var seenCallers = `callers:
  robot: {keys: ["sha256:` + hex.EncodeToString(seenKey.Hash[:]) + `"], limit: {calls: 1, per: 1h, burst: 2}}
  made: {keys: [], methods: [GET], account: robot}
  hook: {signature: {take: {id: {header: X-Id}}, over: "{id}.{body}", by: hmac-sha256, keys: [0123456789abcdef], proof: {header: X-Signature}, once: "{id}"}}
`

// seenAccount is how Coatcheck itself signs in; it stands before the end of the API's own
// sign-in.
const seenAccount = `    accounts: {robot: {fields: {email: robot, password: pw}}}
    logout:
`

const seenRoutes = `      - {path: /programs/, upstream: api, rewrite: /api/, session: none, callers: [robot, made]}
      - {path: /hooks/, upstream: api, rewrite: /api/, session: none, callers: [hook]}
`

// program makes a call of a program, with one header.
func (f *fleet) program(r *replica, method, path, body, name, value string) *http.Response {
	f.Helper()
	q, _ := http.NewRequest(method, "http://"+r.host+path, strings.NewReader(body))
	q.Header.Set(name, value)
	a, err := r.client.Do(q)
	if err != nil {
		f.Fatal(err)
	}
	_ = a.Body.Close()
	return a
}

// keys calls the administration of keys and reads its answer.
func (f *fleet) keys(r *replica, method, path, body string, into any) int {
	f.Helper()
	q, _ := http.NewRequest(method, r.admin+"/admin/keys"+path, strings.NewReader(body))
	q.Header.Set("Authorization", "Bearer admin-token")
	a, err := sent(http.DefaultClient, q)
	if err != nil {
		f.Fatal(err)
	}
	defer a.Body.Close()
	if content, _ := io.ReadAll(a.Body); into != nil && a.StatusCode/100 == 2 {
		if err := json.Unmarshal(content, into); err != nil {
			f.Errorf("%s: %v", content, err)
		}
	}
	return a.StatusCode
}

// programs does all that the metrics and the log tell of programs. It returns the key of
// the configuration.
func (f provoked) programs(s seen, r *replica) string {
	key := seenKey.Secret.Reveal()
	rig.Until(f.T, "the end of what a program may call", func() bool { // a store that is away for a moment counts for itself
		return f.program(r, "GET", "/programs/whoami", "", "Authorization", "Bearer "+key).StatusCode == 429
	})
	var first, second struct{ ID, Key string }
	if got := f.keys(r, "POST", "", `{"caller":"made","expires_in":"2400h"}`, &first); got != 201 {
		f.Fatalf("a new key: %d", got)
	}
	s.until(f.fleet, "caller_limited_total", "caller_limit_trips_total", "caller_calls_total", "keys", "key_expires_seconds")
	f.ended(r)
	f.says(r, `"event":"account","outcome":"signed_in"`, func() { f.program(r, "GET", "/programs/x", "", "X-Api-Key", first.Key) })
	s.until(f.fleet, "account_up")
	f.says(r, `"outcome":"unknown"`, func() { f.program(r, "GET", "/programs/x", "", "X-Api-Key", "x") })
	f.says(r, `"outcome":"not_allowed"`, func() { f.program(r, "POST", "/programs/x", "", "X-Api-Key", first.Key) })
	f.says(r, `"outcome":"invalid"`, func() { f.program(r, "POST", "/hooks/x", "", "X-Signature", "00") })
	if got := f.keys(r, "POST", "/"+first.ID+"/rotate", "{}", &second); got != 201 {
		f.Errorf("rotation: %d", got)
	}
	f.keys(r, "DELETE", "/"+first.ID, "", nil)
	leaked, _ := json.Marshal([]string{"something", second.Key})
	if got := f.keys(r, "POST", "/leaked", string(leaked), nil); got != 200 {
		f.Errorf("a leak: %d", got)
	}
	f.says(r, `"outcome":"ended"`, func() {})
	f.unverified(s, r)
	return key
}

// ended lets another key of the same caller end: the metrics go on telling of the one
// that is left.
func (f provoked) ended(r *replica) {
	f.Helper()
	var short struct{ ID, Key string }
	if got := f.keys(r, "POST", "", `{"caller":"made","expires_in":"1s"}`, &short); got != 201 {
		f.Fatalf("a short key: %d", got)
	}
	rig.Until(f.T, "the end of a key", func() bool {
		return f.program(r, "GET", "/programs/x", "", "X-Api-Key", short.Key).StatusCode == 401
	})
	seen{}.until(f.fleet, "key_expires_seconds")
}

// says does something until the log has the word of it; events of a kind that strangers
// can cause have one line a second.
func (f provoked) says(r *replica, word string, do func()) {
	f.Helper()
	rig.Until(f.T, word, func() bool { do(); return strings.Contains(r.Log.String(), word) })
}

// unverified keeps half a signed body in the memory of the replica until the metrics
// show it.
func (f provoked) unverified(s seen, r *replica) {
	_, port, _ := net.SplitHostPort(r.host)
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		f.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST /hooks/x HTTP/1.1\r\nHost: "+r.host+"\r\nX-Id: a\r\nX-Signature: "+strings.Repeat("00", 32)+"\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 50000))
	s.until(f.fleet, "unverified_bytes")
}
