package configs_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// hinted is a configuration with a place for one value.
const hinted = `
listen: %[1]s
health_path: %[2]s
admin: {listen: %[3]s}
log: {level: %[4]s}
drain: {delay: %[5]s}
limits: {header: %[6]s}
sessions: {store: "redis://localhost", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: %[7]s
    private_paths: [%[8]s]
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: %[9]s}, user: {at: /user}}
frontends:
  shop:
    origins: [%[10]s]
    host: %[11]s
    base_path: %[12]s
    login: {upstream: api, fields: [email]}
    spa: {proxy: %[13]s}
    routes: [{path: %[14]s, upstream: api, methods: [%[15]s]}]
`

var hintedPaths = []string{"listen", "health_path", "admin.listen", "log.level", "drain.delay", "limits.header", "upstreams.api.url", "upstreams.api.private_paths[0]",
	"upstreams.api.login.credential.access_token", "frontends.shop.origins[0]", "frontends.shop.host", "frontends.shop.base_path",
	"frontends.shop.spa.proxy", "frontends.shop.routes[0].path", "frontends.shop.routes[0].methods[0]"}

var hintedGood = []string{`":8080"`, "/healthz", `"127.0.0.1:9090"`, "info", "1s", "1KiB", "https://api.example.net", "/x", "/token", "https://shop.example.com",
	"shop.example.com", "/shop", `"http://localhost:5173"`, "/api/", "GET"}

// faultAt is what is wrong at a path where value stands there.
func faultAt(t *testing.T, at, value string) *configs.Fault {
	t.Helper()
	values := make([]any, len(hintedPaths))
	for i, path := range hintedPaths {
		values[i] = hintedGood[i]
		if path == at {
			values[i] = value
		}
	}
	_, faults := read.Text("t.yaml", fmt.Appendf(nil, hinted, values...), nil, nil)
	for _, f := range faults {
		if f.Path == at && !f.Warning {
			return &f
		}
		if f.Path == "" {
			t.Fatalf("%s: %s: the file itself is broken: %s", at, value, f)
		}
	}
	return nil
}

// TestHintsHold: who writes what the hint says does not meet the next fault.
func TestHintsHold(t *testing.T) {
	values := map[string][]string{
		"listen":                         {"8080", `"8080"`, `"localhost"`, `"::1"`, `"[::1]"`, `"*:8080"`, "true", "1.5"},
		"health_path":                    {"healthz", "bff/health", "/bff/x", "8080"},
		"admin.listen":                   {`":8080"`, "9090", `"127.0.0.1:8080"`, "127.0.0.1"},
		"log.level":                      {"1", "true", "warning", "Info"},
		"drain.delay":                    {"1.5", "true"},
		"limits.header":                  {"1.5", "true"},
		"upstreams.api.url":              {"api.example.org", `"localhost:3000"`, `"127.0.0.1:3000"`, "ftp://api.example.net", "8080", "api..example.net", `"//api.example.net"`},
		"upstreams.api.private_paths[0]": {"admin", "admin//x", `"*"`, "1"},
		"upstreams.api.login.credential.access_token": {"$.token", "data.token", `"a~b"`, "token"},
		"frontends.shop.origins[0]": {"https://Shop.example.com:443", "Shop.example.com", "SHOP.example.com:443", "HTTPS://Shop.Example.com/", "https://shop.example.com./x",
			"http://Shop.example.com:80", "https://München.example.com:443/x", "shop.example.com:0", "8080", "null", `"*"`, "shop..example.com", "https://shop.example.com:443/"},
		"frontends.shop.host":                 {"https://Shop.example.com:443/x", "Shop.Example.com:443", "shop.example.com.", `"https://shop.example.com.:1/"`, "1", `"*"`},
		"frontends.shop.base_path":            {"shop/", "shop", "bff/", "/", "1", "//"},
		"frontends.shop.spa.proxy":            {`"localhost:5173"`, "5173", `"[::1]:5173"`, `"127.0.0.1:5173/x"`, `"ws://localhost:5173"`},
		"frontends.shop.routes[0].path":       {"api", "api/*", "1", "bff", "/api//x"},
		"frontends.shop.routes[0].methods[0]": {"get", "trace", "TRACE"},
	}
	for i, at := range hintedPaths {
		if f := faultAt(t, at, hintedGood[i]); f != nil {
			t.Fatalf("the good value: %s", f)
		}
		for _, value := range values[at] {
			f := faultAt(t, at, value)
			if f == nil {
				t.Errorf("%s: %s: no fault", at, value)
				continue
			}
			for _, hint := range alternatives(f.Hint) {
				if !strings.HasPrefix(hint, `"`) {
					hint = strconv.Quote(hint)
				}
				if next := faultAt(t, at, hint); next != nil {
					t.Errorf("%s: %s: %s\n  and then: %s", at, value, f, next)
				}
			}
		}
	}
}

// alternatives are the values that a hint offers; none where it is an instruction.
func alternatives(hint string) []string {
	hint = strings.ReplaceAll(hint, " or ", ", ")
	var values []string
	for _, each := range strings.Split(hint, ", ") {
		if each == "" || strings.Contains(each, " ") {
			return nil
		}
		values = append(values, each)
	}
	return values
}

// TestHintsMean: some hints, word by word.
func TestHintsMean(t *testing.T) {
	for _, row := range [][3]string{
		{"listen", "8080", `":8080"`},
		{"listen", `"8080"`, `":8080"`},
		{"listen", "localhost", `"localhost:8080"`},
		{"frontends.shop.origins[0]", "https://Shop.example.com:443", "https://shop.example.com"},
		{"frontends.shop.origins[0]", "SHOP.example.com", "https://shop.example.com"},
		{"frontends.shop.spa.proxy", `"localhost:5173"`, "http://localhost:5173"},
		{"upstreams.api.url", "api.example.org/v1", "https://api.example.org/v1"},
		{"log.level", "1", "debug, info, warn, error"},
		{"frontends.shop.routes[0].path", "api", "/api/"},
	} {
		f := faultAt(t, row[0], row[1])
		if f == nil || f.Hint != row[2] {
			t.Errorf("%s: %s: %v, not the hint %q", row[0], row[1], f, row[2])
		}
	}
}
