package routing_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"coatcheck/bff/http1"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// manyFrontends is a configuration with n frontends of two routes each: all but the first
// hundred at hosts of their own, those on a shared one.
func manyFrontends(n int) string {
	var b strings.Builder
	b.WriteString(`sessions: {store: "memory://", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: https://api.internal
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, expires_in: /expires_in}
      user: {from: response, at: /user}
frontends:
`)
	for i := range n {
		host := ""
		if i < 100 {
			host = "host: api.example.com"
		}
		fmt.Fprintf(&b, `  f%d:
    origins: ["https://f%d.example.com"]
    %s
    login: {upstream: api, fields: [email, password], expose: [id, email]}
    routes:
      - {path: /api/, upstream: api}
      - {path: /api/one, upstream: api, methods: [POST]}
`, i, i, host)
	}
	return b.String()
}

func load(t testing.TB, text string) *routing.Table {
	t.Helper()
	c, faults := read.Text("coatcheck.yaml", []byte(text), os.LookupEnv, os.ReadFile)
	if configs.Refused(faults) {
		t.Fatal(faults[0])
	}
	table, err := routing.New(c, routing.Options{Closed: func(string) func([]byte) bool { return func([]byte) bool { return false } }})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// decide returns the frontend and the route of a request, or its problem's code.
func decide(t *testing.T, table *routing.Table, request string) string {
	t.Helper()
	var in http1.Reader
	in.Reset(bytes.NewReader([]byte(strings.ReplaceAll(request, "\n", "\r\n") + "\r\n\r\n")))
	var head http1.Head
	if err := head.ReadRequest(&in, 8<<10); err != nil {
		t.Fatal(err)
	}
	var r routing.Request
	var d routing.Decision
	table.Read(&r, &head, netip.MustParseAddr("192.0.2.1"))
	table.Decide(&r, &d)
	if d.Problem != nil {
		return d.Problem.Code
	}
	return d.Frontend.Name + " " + d.Route.Config.Path
}

// TestThousandsOfFrontends: five thousand load, and each gets the calls that are its own.
func TestThousandsOfFrontends(t *testing.T) {
	table := load(t, manyFrontends(5000))
	for request, want := range map[string]string{
		"GET /api/items HTTP/1.1\nHost: f4999.example.com":                                                          "f4999 /api/",
		"GET /api/ HTTP/1.1\nHost: f100.example.com\nOrigin: https://f100.example.com":                              "f100 /api/",
		"POST /api/one HTTP/1.1\nHost: f2500.example.com\nX-CSRF: 1":                                                "f2500 /api/one",
		"POST /api/one/more HTTP/1.1\nHost: f2500.example.com\nX-CSRF: 1":                                           "f2500 /api/",
		"GET /api/one HTTP/1.1\nHost: f2500.example.com":                                                            "method_not_allowed",
		"GET /apione HTTP/1.1\nHost: f2500.example.com":                                                             "not_found",
		"GET /api/ HTTP/1.1\nHost: f100.example.com\nOrigin: https://f101.example.com":                              "origin_not_allowed",
		"GET /api/ HTTP/1.1\nHost: f5000.example.com":                                                               "unknown_host",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nOrigin: https://f42.example.com":                                "f42 /api/",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nOrigin: https://f100.example.com":                               "origin_not_allowed",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nX-Frontend: f99":                                                "f99 /api/",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nX-Frontend: f100":                                               "frontend_undetermined",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nX-Frontend: f1\nX-Frontend: f1":                                 "frontend_undetermined",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nX-Frontend: f1\nSec-Fetch-Site: same-origin":                    "frontend_undetermined",
		"GET /api/ HTTP/1.1\nHost: api.example.com":                                                                 "frontend_undetermined",
		"GET /api/ HTTP/1.1\nHost: api.example.com\nOrigin: https://f1.example.com\nOrigin: https://f1.example.com": "origin_not_allowed",
	} {
		if got := decide(t, table, request); got != want {
			t.Errorf("%s\ngot %s, want %s", request, got, want)
		}
	}
}

// BenchmarkLoad: a configuration of five thousand frontends, from its text to its table.
func BenchmarkLoad(b *testing.B) {
	text := manyFrontends(5000)
	for b.Loop() {
		load(b, text)
	}
}
