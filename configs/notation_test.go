package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/configs/read"
)

// TestHintsSayWhatWasMeant: what people write by habit of other programs, and the cure.
func TestHintsSayWhatWasMeant(t *testing.T) {
	for _, c := range []struct{ at, value, want string }{
		{"drain.delay", "7d", "not a duration: use a number with a unit, e.g. 90s, 5m, 1h30m (hint: days are not supported: 7d is 168h)"},
		{"drain.delay", "1.5d", "days are not supported: 1.5d is 36h"},
		{"drain.delay", "2 weeks", "weeks are not supported: 2 weeks is 336h"},
		{"drain.delay", "30", "unit missing: 30s? 30m?"},
		{"drain.delay", "30 sec", "(hint: 30s)"},
		{"drain.delay", "90min", "(hint: 1h30m)"},
		{"drain.delay", "250millis", "(hint: 250ms)"},
		{"drain.delay", "2hrs", "(hint: 2h)"},
		{"drain.delay", "99999999999999999999w", "e.g. 90s, 5m, 1h30m"},
		{"drain.delay", "soon", "e.g. 90s, 5m, 1h30m"},
		{"limits.header", "10MB", "did you mean 10MiB?"},
		{"limits.header", "16k", "did you mean 16KiB?"},
		{"limits.header", "1 mb", "did you mean 1MiB?"},
		{"limits.header", "much", "not a size: use e.g. 512KiB"},
		{"log.level", "verbose", `"verbose" is not allowed: use debug, info, warn or error`},
		{"log.level", "warning", "did you mean warn?"},
		{"log.level", "$LEVEL", "$LEVEL is not expanded: write ${LEVEL}"},
		{"listen", "8080", `(hint: ":8080")`},
		{"listen", "true", "expected a string, got a boolean"},
		{"listen", "[a]", "expected a string, got a list"},
		{"listen", "{port}", `for a placeholder write "{port}"`},
		{"frontends.shop.origins[0]", `"capacitor://localhost"`, "browsers keep no cookies for other schemes (hint: in Capacitor set server.hostname"},
		{"frontends.shop.origins[0]", `"ionic://localhost"`, "server.hostname"},
		{"frontends.shop.origins[0]", `"tauri://localhost"`, "native HTTP with X-CSRF: 1"},
		{"frontends.shop.origins[0]", `"app://-"`, "native HTTP with X-CSRF: 1"},
	} {
		f := faultAt(t, c.at, c.value)
		if f == nil {
			t.Errorf("%s: %s: no fault", c.at, c.value)
		} else if !strings.Contains(f.String(), c.want) {
			t.Errorf("%s: %s: %s\nwant %s", c.at, c.value, f, c.want)
		}
	}
}

// oneBody is a configuration with a place for a request's body.
const oneBody = `
sessions: {store: "${STORE}", keys: ["${KEY}"]}
upstreams:
  api:
    url: https://api.example.net
    login: {request: {path: /login, body: BODY}, credential: {access_token: /t}, user: {at: /user}}
frontends:
  shop:
    origins: [https://shop.example.com]
    login: {upstream: api, fields: [email], expose: EXPOSE}
    routes: [{path: /api/, upstream: api}]
`

// complaintsOf loads oneBody with a body, what is exposed, a store and a key.
func complaintsOf(t *testing.T, body, expose, store, key string) string {
	t.Helper()
	text := strings.NewReplacer("BODY", body, "EXPOSE", expose).Replace(oneBody)
	_, faults := read.Text("t.yaml", []byte(text), func(name string) (string, bool) {
		value, known := map[string]string{"STORE": store, "KEY": key}[name]
		return value, known
	}, nil)
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

const (
	plainBody = `{email: "{email}"}`
	goodKey   = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
)

func TestPlaceholdersWithoutQuotesAreRefused(t *testing.T) {
	if got := complaintsOf(t, plainBody, "[id]", "redis://localhost", goodKey); got != "" {
		t.Fatal(got)
	}
	for body, want := range map[string]string{
		`{email: {email}}`:                              `body.email: {email} is a mapping in YAML, not a placeholder: write "{email}"`,
		`{email: "{email}", user: {name: {user}}}`:      `body.user.name: {user} is a mapping in YAML`,
		`{email: "{email}", list: [{email}]}`:           `body.list[0]: {email} is a mapping in YAML`,
		`{email: "{email}", client: 0123456}`:           `body.client: written without quotes this is the number 42798 in YAML; it is sent as it is written (hint: "0123456", or 42798)`,
		`{email: "{email}", v: 1.10}`:                   `written without quotes this is the number 1.1 in YAML; it is sent as it is written (hint: "1.10", or 1.1)`,
		`{email: "{email}", v: 0x1F}`:                   `written without quotes this is the number 31`,
		`{email: "{email}", v: 1_000}`:                  `written without quotes this is the number 1000`,
		`{email: "{email}", key: $API_KEY}`:             `$API_KEY is not expanded: write ${API_KEY}`,
		`{email: "{email}", filter: {deleted: null}}`:   "",
		`{email: "{email}", n: 12, f: 1.5, m: -3}`:      "",
		`{email: "{email}", price: $5, path: "$HOME/"}`: "",
	} {
		got := complaintsOf(t, body, "[id]", "redis://localhost", goodKey)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %swant %s", body, got, want)
		}
	}
}

func TestNestedExposeIsExplained(t *testing.T) {
	for expose, want := range map[string]string{
		"[/profile/name, /a~1b/~0c]":   "",
		"[/profile/~2]":                "in a pointer ~ is written ~0",
		"[profile.name]":               "a dot leads to no field inside another: a pointer does (hint: /profile/name; or /profile.name, for a field of that very name)",
		"[/profile/access_token]":      "a page would see a token",
		"[/profile/*]":                 "not a field name",
		"[{profile: [name]}]":          "expected a string, got a mapping",
		`["https://example.com/role"]`: "",
	} {
		if got := complaintsOf(t, plainBody, expose, "redis://localhost", goodKey); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %swant %s", expose, got, want)
		}
	}
}

// TestStoreAddressesAreExplained: no part of a password stands in what is said.
func TestStoreAddressesAreExplained(t *testing.T) {
	for store, want := range map[string]string{
		"reddis://localhost":                    `unknown store scheme "reddis": did you mean redis://?`,
		"s3cret-http://localhost":               "unknown store scheme\n",
		"localhost:6379":                        "scheme missing: start with redis://",
		"redis://:p@ss/w#rd?x@127.0.0.1:6379/0": "percent-encode special characters in the password (@ is %40, / is %2F, # is %23, ? is %3F)",
		"redis://:s3cret/@localhost":            "percent-encode special characters",
		"redis://:s3%zzcret@localhost":          "percent-encode special characters",
		"redis://:p%40ss%2Fw@127.0.0.1:6379/0":  "",
		"redis://localhost/main":                "the database after the host must be a number",
		`"redis://localhost:6379/0"`:            "the value begins and ends with a quote",
		`'redis://localhost:6379/0'`:            "the value begins and ends with a quote",
	} {
		got := complaintsOf(t, plainBody, "[id]", store, goodKey)
		if want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, "s3") || strings.Contains(got, "w#rd") {
			t.Errorf("%s: %swant %s", store, got, want)
		}
	}
	if got := complaintsOf(t, plainBody, "[id]", "redis://localhost", `"`+goodKey+`"`); !strings.Contains(got, "warning: sessions.keys[0]: the value begins and ends with a quote") {
		t.Errorf("a key in quotes: %s", got)
	}
}

// TestRequiredKeysAreShown: a missing key comes with an example that can be pasted.
func TestRequiredKeysAreShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(file, []byte("tls: {}\nlisten: \":8080\"\n  indented: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, faults := read.File(file, nil); len(faults) != 1 || !strings.Contains(faults[0].Message, "lines up with no key above") && !strings.Contains(faults[0].Message, `a second ": "`) {
		t.Errorf("%v", faults)
	}
	_, faults := read.Text("t.yaml", []byte("tls: {}\nsessions: {}\nupstreams: {api: {}}\nfrontends: {shop: {login: {}, routes: [{}]}}\n"), nil, nil)
	var all strings.Builder
	for _, f := range faults {
		all.WriteString(f.String() + "\n")
	}
	for _, want := range []string{"tls.cert: required key missing (hint: cert: server.crt)", `keys: required key missing (hint: keys: ["${COATCHECK_KEY}"])`,
		"(hint: url: https://api.example.net)", "routes[0].path: required key missing (hint: path: /api/)", "(hint: upstream: api)"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %q in\n%s", want, all.String())
		}
	}
}

// TestCookiesIsCookie: send's cookies go by either spelling, and not by both.
func TestCookiesIsCookie(t *testing.T) {
	for send, want := range map[string]string{
		`{cookies: {sid: "{access_token}"}}`:                              "",
		`{cookie: {sid: "{access_token}"}}`:                               "",
		`{cookie: {a: "{access_token}"}, cookies: {b: "{access_token}"}}`: "upstreams.api.send.cookies: the same key as cookie",
		`{cookies: {sid: "{nobody}"}}`:                                    "upstreams.api.send.cookie.sid: ",
	} {
		c, faults := parse(strings.Replace(small(""), `{headers: {X-Key: "${SEND:-k}", Authorization: "Bearer {access_token}"}}`, send, 1), nil)
		said := fmt.Sprint(faults)
		if want != "" && !strings.Contains(said, want) || want == "" && (len(faults) != 0 || c.Upstreams["api"].Send.Cookie["sid"].IsEmpty()) {
			t.Errorf("%s: %s", send, said)
		}
	}
	if _, faults := parse(strings.Replace(small(""), "    login:\n", "    login:\n      fields: [email]\n", 1), nil); !strings.Contains(fmt.Sprint(faults), "frontends.*.login.fields") {
		t.Errorf("fields: %v", faults)
	}
}
