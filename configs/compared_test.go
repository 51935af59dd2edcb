package configs_test

import (
	"strings"
	"testing"

	"coatcheck/configs/read"
)

// TestCompared: what answers and signed calls are held against is a scalar, null, or a
// list of them that is not empty.
func TestCompared(t *testing.T) {
	const file = `
upstreams:
  api:
    url: https://api.example.net
    login: {request: {path: /login}, credential: {access_token: /token}, answers: [{at: /error, is: VALUE, means: invalid_credentials}]}
callers:
  mail: {signature: {take: {kind: /kind}, over: "{body}", by: hmac-sha256, keys: [0123456789abcdef], proof: {header: x-sig}, admit: [{at: /kind, is: VALUE}]}}
`
	for _, row := range []struct {
		value, fault string
	}{
		{"a", ""}, {"[a, 1, true, null]", ""}, {"null", ""}, {"12", ""}, {"-1.5", ""}, {"[\"0123\"]", ""},
		{"0123", "the number 83 in YAML; it is compared as it is written"}, {"[1, 1.10]", "the number 1.1 in YAML"},
		{"[]", "an empty list matches nothing"}, {"{a: b}", "can be compared"}, {"[[a]]", "can be compared"}, {"[a, {b: c}]", "can be compared"},
	} {
		_, faults := read.Text("t.yaml", []byte(strings.ReplaceAll(file, "VALUE", row.value)), nil, nil)
		said := map[string]string{}
		for _, f := range faults {
			if strings.Contains(f.Message, "compared") || strings.Contains(f.Message, "empty list") {
				said[strings.SplitN(f.Path, ".", 2)[0]] = f.Message
			}
		}
		for _, half := range []string{"upstreams", "callers"} {
			if got := said[half]; (got == "") != (row.fault == "") || !strings.Contains(got, row.fault) {
				t.Errorf("%s, %s: %q, want %q", half, row.value, got, row.fault)
			}
		}
	}
}
