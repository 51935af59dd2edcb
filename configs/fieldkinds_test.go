package configs_test

import (
	"strings"
	"testing"

	"coatcheck/configs/read"
)

// TestFieldKinds: a declared field says its name, whether it may be left out, and its
// kind; the first one is the account's, so it is text and always there.
func TestFieldKinds(t *testing.T) {
	const file = `
sessions: {store: "redis://localhost", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: https://api.example.net
    login: {request: {path: /login, body: {email: "{email}", pin: "{pin}"}}, credential: {access_token: /token}, user: {at: /user}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [FIELDS]}
    routes: [{path: /api/, upstream: api}]
`
	for _, row := range []struct{ fields, fault string }{
		{`email, "pin: number"`, ""}, {`email, "pin?: bool"`, ""}, {`email, "pin?:bool"`, ""}, {`"email: text", "pin?: text"`, ""},
		{`email, "pin: boolean"`, "unknown kind of field"}, {`email, "pin:"`, "unknown kind of field"}, {`email, "pin: number?"`, "unknown kind of field"}, {`email, "pin: Bool"`, "unknown kind of field"},
		{`"email: bool", pin`, "must be text"}, {`"email?: text", pin`, "cannot be optional"}, {`email, "pin, x: bool"`, "a field name has letters"}, {`email, "pin: bool", "pin: number"`, "duplicate field"},
	} {
		c, faults := read.Text("t.yaml", []byte(strings.Replace(file, "FIELDS", row.fields, 1)), nil, nil)
		var said []string
		for _, f := range faults {
			if !f.Warning {
				said = append(said, f.String())
			}
		}
		if all := strings.Join(said, "\n"); (row.fault == "") != (c != nil) || !strings.Contains(all, row.fault) {
			t.Errorf("%s: %q, want %q", row.fields, all, row.fault)
		}
	}
}
