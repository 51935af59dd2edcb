package configs_test

import (
	"testing"
	"time"
)

// The configuration of a benchmark: one frontend and one API on this machine,
// the API on the loopback address, the pages at localhost.
func TestABenchmarksConfiguration(t *testing.T) {
	c, faults := parse(`
listen: "127.0.0.1:19107"
admin: {listen: "127.0.0.1:19207"}
sessions:
  store: redis://127.0.0.1:16390/0
  keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]
  near_cache: 0s
upstreams:
  api:
    url: http://127.0.0.1:19000
    login:
      request: {method: POST, path: /login, encoding: json, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, expires_in: /expires_in}
      user: {from: response, at: /user}
frontends:
  bench:
    origins: ["http://localhost:19107"]
    host: localhost
    login: {upstream: api, fields: [email, password], expose: [id, email, name]}
    routes: [{path: /api/, upstream: api}]
`, nil)
	if c == nil || len(faults) != 1 || faults[0].Path != "sessions.near_cache" {
		t.Fatal(faults)
	}
	if c.Sessions.NearCache != 0*time.Second || c.Frontends["bench"].SharedHost() || c.SharedHost("localhost") {
		t.Errorf("%+v", c.Sessions)
	}
}
