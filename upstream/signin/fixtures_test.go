package signin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// fixture is one recorded exchange with a real API.
type fixture map[string]any

func (f fixture) text(key string) string {
	if f[key] == nil {
		return ""
	}
	return fmt.Sprint(f[key])
}

func (f fixture) table(key string) map[string]any {
	m, _ := f[key].(map[string]any)
	return m
}

func (f fixture) has(key string) bool { _, ok := f[key]; return ok }

// readFixtures reads a list of exchanges. The configuration's own YAML reader is
// borrowed: a request's body is whatever stands there.
func readFixtures(t *testing.T, file string) []fixture {
	t.Helper()
	list, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := "x:\n  url: https://x.example.net\n  login:\n    credential: {access_token: /t}\n    request:\n      path: /x\n      body:\n        email: \"{email}\"\n        password: \"{password}\"\n        list:\n" +
		"          " + strings.ReplaceAll(strings.TrimSpace(string(list)), "\n", "\n          ")
	body, _ := parseMapping(t, text)["x"].Login.Request.Body.Value()
	var fixtures []fixture
	for _, item := range body.(map[string]any)["list"].([]any) {
		fixtures = append(fixtures, item.(map[string]any))
	}
	return fixtures
}

// readAPI loads the ready-made configuration of an API; its upstream has its name.
func readAPI(t *testing.T, name string) map[string]*configs.Upstream {
	t.Helper()
	environment := map[string]string{"REDIS_URL": "redis://localhost", "COATCHECK_KEY": "kept for tests, 32 bytes and more",
		"API_CLIENT_ID": "id", "API_CLIENT_SECRET": "se cret", "API_KEY": "KEY"}
	getenv := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	cfg, faults := read.File("../../configs/apis/"+name+".yaml", getenv)
	if cfg == nil {
		t.Fatal(faults)
	}
	return cfg.Upstreams
}

func TestFixtures(t *testing.T) {
	for _, file := range []string{"testdata/fixtures.yaml", "testdata/more.yaml", "testdata/gallery.yaml"} {
		for i, f := range readFixtures(t, file) {
			t.Run(fmt.Sprintf("%d_%s_%s_%s", i+1, f.text("api"), f.text("do"), f.text("then")), func(t *testing.T) {
				newScene(t, f, readAPI(t, f.text("api"))).play()
			})
		}
	}
}

// TestShortMappings plays the exchanges through mappings that say no more than they
// must, as the language's own description gives them.
func TestShortMappings(t *testing.T) {
	mappings := shortMappings(t)
	for i, f := range readFixtures(t, "testdata/fixtures.yaml") {
		t.Run(fmt.Sprintf("%d_%s_%s_%s", i+1, f.text("api"), f.text("do"), f.text("then")), func(t *testing.T) {
			newScene(t, f, parseMapping(t, mappings[f.text("api")])).play()
		})
	}
	for name, text := range mappings {
		newSet(t, parseMapping(t, text))
		if !strings.Contains(text, "access_token") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if len(mappings) != 15 {
		t.Errorf("%d mappings", len(mappings))
	}
}

// shortMappings reads testdata/mappings.yaml: the text of each API, by name, with an
// address where it has none. What stands under another name belongs to the API before.
func shortMappings(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/mappings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all, last := map[string]string{}, ""
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, line := range lines {
		name, rest, _ := strings.Cut(line, ":")
		switch {
		case line[0] == ' ' || line[0] == '#':
		case strings.HasPrefix(rest, " {url"): // a second host
		case rest == "":
			last = name
			if !strings.HasPrefix(lines[i+1], "  url:") {
				line += "\n  url: https://" + strings.ReplaceAll(name, "_", "-") + ".example.net"
			}
		default:
			last = name
			line = name + ": {url: \"https://" + name + ".example.net\", " + strings.TrimPrefix(rest, " {")
		}
		all[last] += line + "\n"
	}
	delete(all, "")
	return all
}

// inflate makes JWTs of every "J{claim: value, exp: +3600}".
func inflate(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = inflate(item)
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, inflate(item))
		}
		return out
	case string:
		if inner, ok := strings.CutPrefix(v, "J{"); ok {
			return jwt(claimsOf(strings.TrimSuffix(inner, "}")))
		}
	}
	return v
}

func claimsOf(list string) string {
	claims := map[string]any{}
	for item := range strings.SplitSeq(list, ", ") {
		name, value, _ := strings.Cut(item, ": ")
		if left, ok := strings.CutPrefix(value, "+"); ok {
			seconds, _ := strconv.Atoi(left)
			claims[name] = now.Add(time.Duration(seconds) * time.Second).Unix()
			continue
		}
		claims[name] = value
	}
	text, _ := json.Marshal(claims)
	return string(text)
}

// jsonLike writes and reads v, so that numbers compare.
func jsonLike(v any) any {
	text, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}
