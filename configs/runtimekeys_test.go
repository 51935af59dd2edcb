package configs_test

import (
	"strings"
	"testing"
)

// TestKeysThatDoNotLast: check says so where a caller's keys can only be made at run time
// and the store does not keep them.
func TestKeysThatDoNotLast(t *testing.T) {
	const text = `sessions: {store: "%", keys: ["${COATCHECK_KEY}"]}
upstreams: {api: {url: "https://api.example.net"}}
callers: {excel: {keys: [$]}}
frontends: {programs: {host: programs.example.com, routes: [{path: /v1/, upstream: api, session: none, callers: [excel]}]}}
`
	for _, row := range []struct{ store, keys, want string }{
		{"redis://localhost:6379/0", "", ""},
		{"file:///var/lib/coatcheck/sessions.db", "", "need a Redis"},
		{"memory://", "", "end with the process"},
		{"memory://", `"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`, ""},
	} {
		c, faults := parse(strings.NewReplacer("%", row.store, "$]", row.keys+"]").Replace(text), nil)
		if c == nil {
			t.Fatal(faults)
		}
		said := ""
		for _, f := range faults {
			if f.Path == "callers.excel" {
				said += f.Message
			}
			if !f.Warning {
				t.Error(f)
			}
		}
		if (said == "") != (row.want == "") || !strings.Contains(said, row.want) {
			t.Errorf("%s, keys %s: %q", row.store, row.keys, said)
		}
	}
}
