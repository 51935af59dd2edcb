package configs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// small is a whole configuration with one line of a test's own in it.
func small(line string) string {
	return strings.Join([]string{
		line,
		`sessions: {store: "memory://", keys: ["${COATCHECK_KEY}"]}`,
		`upstreams:`,
		`  api:`,
		`    url: https://api.example.net`,
		`    send: {headers: {X-Key: "${SEND:-k}", Authorization: "Bearer {access_token}"}}`,
		`    login:`,
		`      request: {path: /login, body: {email: "{email}", password: "{password}", extra: "${EXTRA:-x}"}}`,
		`      credential: {access_token: /token}`,
		`      user: {at: /user}`,
		`frontends:`,
		`  shop:`,
		`    origins: ["http://localhost:8080"]`,
		`    login: {upstream: api, fields: [email, password]}`,
	}, "\n")
}

func TestExpansion(t *testing.T) {
	vars := map[string]string{"A": "a", "EMPTY": "", "AGAIN": "${A}", "DOLLAR": "$", "LITERAL": "$${A}", "MANY": "x: y\n- [z"}
	for written, want := range map[string]string{
		"plain":                  "plain",
		"${A}":                   "a",
		"x${A}y${A}z":            "xayaz",
		"${A:-b}":                "a",
		"${EMPTY}":               "",
		"${EMPTY:-b}":            "b", // as in a shell: unset or empty
		"${NONE:-b}":             "b",
		"${NONE:-}":              "",
		"${NONE:-a:-b c}":        "a:-b c",
		"$${A}":                  "${A}",
		"$$${A}":                 "$${A}",
		"$${A}${A}":              "${A}a",
		"$A {A} $ $$ }":          "$A {A} $ $$ }",
		"${AGAIN}":               "${A}", // once, and never again
		"${LITERAL}":             "$${A}",
		"${DOLLAR}{A}":           "${A}", // what two pieces add up to is no variable
		"${MANY}":                "x: y\n- [z",
		"${file:secret.txt}":     "s3cret",
		"${file:deep/other.txt}": "a: ${A}",
	} {
		t.Run(written, func(t *testing.T) {
			c, faults := withFiles(t, small("admin: {token: '"+written+"'}"), vars)
			if c == nil {
				t.Fatal(faults)
			}
			if got := c.Admin.Token.Reveal(); got != want {
				t.Errorf("%q became %q, want %q", written, got, want)
			}
		})
	}
}

// withFiles loads content from a real folder with two files in it.
func withFiles(t *testing.T, content string, vars map[string]string) (*configs.Config, []configs.Fault) {
	t.Helper()
	folder := t.TempDir()
	files := map[string]string{"coatcheck.yaml": content, "secret.txt": "\n s3cret \r\n", "deep/other.txt": "a: ${A}\n",
		"nul.txt": "a\x00b", "large.txt": strings.Repeat("x", 64<<10+1), "latin1.txt": "\xe9"}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return read.File(filepath.Join(folder, "coatcheck.yaml"), func(name string) (string, bool) {
		if value, ok := vars[name]; ok {
			return value, true
		}
		return environment(name)
	})
}

func TestExpansionRefuses(t *testing.T) {
	vars := map[string]string{"NUL": "a\x00b", "LATIN1": "\xe9"}
	for written, want := range map[string]string{
		"${NONE}":              "the variable NONE is not set",
		"${}":                  "not a variable name",
		"${A B}":               "not a variable name",
		"${1A}":                "not a variable name",
		"${A-b}":               "not a variable name",
		"${é}":                 "not a variable name",
		"a${A":                 "missing }",
		"${NONE:-${NONE}}":     "cannot be nested",
		"${NUL}":               "is not text",
		"${LATIN1}":            "is not text",
		"${file:}":             "not supported here",
		"${file:none.txt}":     "none.txt cannot be read: file not found",
		"${file:deep}":         "deep cannot be read: is a directory",
		"${file:nul.txt}":      "is not text",
		"${file:latin1.txt}":   "is not text",
		"${file:large.txt}":    "larger than 64 KiB",
		"${NONE} ${OTHER}":     "the variable NONE is not set; the variable OTHER is not set",
		"${file:/dev/zero}":    "larger than 64 KiB",
		"${NONE}${file:x.txt}": "NONE is not set; the file x.txt",
	} {
		t.Run(written, func(t *testing.T) {
			c, faults := withFiles(t, small("admin: {token: '"+written+"'}"), vars)
			if c != nil || len(faults) != 1 || faults[0].Path != "admin.token" || faults[0].Line != 1 || !strings.Contains(faults[0].Message, want) {
				t.Errorf("faults %v, want one of admin.token with %q", faults, want)
			}
		})
	}
}

func TestVariablesBecomeNumbersButNeverStructure(t *testing.T) {
	vars := map[string]string{"N": "7", "YES": "true", "TIME": "90s", "LIST": "[a, b]", "MAP": "{a: b}", "NULL": "null"}
	c, faults := parse(small(`limits: {header: "${NONE:-2KiB}", keep_alive: "${TIME}"}`), vars)
	if c == nil || c.Limits.Header != 2048 || c.Limits.KeepAlive != 90*time.Second {
		t.Error(c, faults)
	}
	content := strings.Replace(small(""), `{upstream: api,`, `{upstream: api, expose: "${LIST}",`, 1)
	if c, faults := parse(content, vars); c != nil || !strings.Contains(fmt.Sprint(faults), "expected a list") {
		t.Error("a variable became a list", faults)
	}
	for _, name := range []string{"LIST", "MAP", "NULL", "N", "YES"} {
		c, faults := parse(small("admin:\n  token: ${"+name+"}"), vars)
		if c == nil || c.Admin.Token.Reveal() != vars[name] {
			t.Errorf("%s did not stay text: %v", name, faults)
		}
	}
	content = strings.Replace(small(""), "extra: \"${EXTRA:-x}\"", "extra: \"${N}\"", 1)
	if c, faults = parse(content, vars); c == nil {
		t.Fatal(faults)
	}
	body, _ := c.Upstreams["api"].Login.Request.Body.Value()
	if got := body.(map[string]any)["extra"]; got != "7" {
		t.Errorf("in a body the variable became %#v", got)
	}
}

func TestVariablesStandInNoKey(t *testing.T) {
	c, faults := parse(small("${A}: x"), map[string]string{"A": "listen"})
	if c != nil || len(faults) != 1 || faults[0].Message != "unknown key" {
		t.Error(faults)
	}
}

// A secret that looks like a placeholder must not fetch a person's password: it stands for
// itself. Only a brace of the file's own in front of it could make it one, and is refused.
func TestVariablesBringNoPlaceholders(t *testing.T) {
	for _, value := range []string{"{password}", "a{access_token}b", "a{b}c", "{{password}}", "{{{x", "a{b", "{}", "{a b}", "}{", "x{nobody}"} {
		c, faults := parse(small(""), map[string]string{"EXTRA": value, "SEND": value})
		if c == nil || len(faults) != 0 {
			t.Errorf("%s: %v", value, faults)
			continue
		}
		login := *c.Upstreams["api"].Login.Request
		login.Headers = map[string]mapping.Template{"X-Key": c.Upstreams["api"].Send.Headers["X-Key"]}
		to, _ := upstream.ParseURL("https://api.example.net")
		filled, err := login.Fill(to, "", mapping.Send{}, &mapping.Values{Fields: map[string]credential.Secret{
			"email": credential.NewSecret("e"), "password": credential.NewSecret("pw"), "access_token": credential.NewSecret("t"), "nobody": credential.NewSecret("n")}})
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Extra string }
		if err := json.Unmarshal(filled.Body, &body); err != nil || body.Extra != value || !strings.HasPrefix(filled.Header["X-Key"][0], value) {
			t.Errorf("%s: sent %s and %q", value, filled.Body, filled.Header["X-Key"])
		}
	}
	for _, glued := range []string{`"{${EXTRA}}"`, `"{${EXTRA:-x}}"`} {
		_, faults := parse(strings.Replace(small(""), `extra: "${EXTRA:-x}"`, "extra: "+glued, 1), map[string]string{"EXTRA": "password"})
		if len(faults) != 1 || faults[0].Path != "upstreams.api.login.request.body.extra" || strings.Contains(faults[0].String(), "password") || !strings.Contains(faults[0].Hint, "{{") {
			t.Errorf("%s: %v", glued, faults)
		}
	}
}

// No fault repeats a secret, whatever is wrong with it and wherever it stands.
func TestFaultsNeverPrintValuesOfVariables(t *testing.T) {
	const mark = "m4rk3d"
	for _, value := range []string{mark, "http://" + mark + ".EXAMPLE.com", "https://" + mark + ".example.com/x", "*" + mark, "{" + mark + "}",
		"/" + mark + "/../x", mark + "\x00", "${" + mark, "redis://" + mark + ":" + mark + "@%zz", mark + "é", mark + "?x#y", mark + ":99999", mark + " " + mark} {
		lines := strings.Split(example(t), "\n")
		for i, line := range lines {
			at := strings.LastIndex(strings.Split(line, " #")[0], ": ")
			if at < 0 || strings.HasPrefix(strings.TrimSpace(line), "#") || strings.ContainsAny(line, "[{") {
				continue
			}
			changed := append([]string{}, lines...)
			changed[i] = line[:at] + `: "${MARK}"`
			_, faults := parse(strings.Join(changed, "\n"), map[string]string{"MARK": value})
			if strings.Contains(fmt.Sprint(faults), mark) {
				t.Errorf("with %q on line %d: %v", value, i+1, faults)
			}
		}
		lists := strings.NewReplacer(`["https://shop.example.com"]`, `["${MARK}"]`, "[GET, HEAD]", `["${MARK}"]`, "[email, password]", `["${MARK}", password]`,
			"[id, email, name]", `["${MARK}"]`, `["${COATCHECK_KEY}"]`, `["${MARK}"]`, "/auth/login ", `"${MARK}" `, `[10.0.0.0/8]`, `["${MARK}"]`,
			"X-Total-Count", `"${MARK}"`, "[/internal]", `["${MARK}"]`).Replace(example(t))
		_, faults := parse(lists, map[string]string{"MARK": value})
		if len(faults) < 5 || strings.Contains(fmt.Sprint(faults), mark) {
			t.Errorf("with %q in lists: %v", value, faults)
		}
	}
}

// No hint says to which word a value out of a variable is near.
func TestHintsSayNothingOfVariables(t *testing.T) {
	const file = `
frontends:
  shop:
    origins: [https://shop.example.com]
    login: {upstream: "${UPSTREAM}", provider: "${PROVIDER}"}
    routes: [{path: /api, upstream: api, callers: ["${CALLER}"]}]
providers:
  porter: {issuer: https://id.example.com, client_id: x}
callers:
  excel: {limit: {calls: 1, per: 1h}}
upstreams:
  api:
    url: https://api.example.com
    login:
      request: {path: /login, body: {email: "{email}"}}
      answers: [{status: 202, step: "${STEP}"}]
      steps: {code: {fields: [code], request: {path: /code, body: {code: "{code}"}}}}
      credential: {access_token: /token}
    reuse: "${WORD}"
`
	_, faults := parse(file, map[string]string{"UPSTREAM": "apj", "PROVIDER": "poter", "CALLER": "exce", "STEP": "cde", "WORD": "persn"})
	found := 0
	for _, f := range faults {
		if strings.Contains(f.Message, "the variable's value") || f.Message == "unknown step" {
			found++
		}
		if strings.Contains(f.Hint, "did you mean") {
			t.Errorf("%s: %s", f.Path, f.Hint)
		}
	}
	if found != 5 {
		t.Errorf("%d of the 5 values are refused: %v", found, faults)
	}
}

// Secrets that stand in the file itself are not repeated either.
func TestFaultsNeverPrintSecretsOfTheFile(t *testing.T) {
	const mark = "m4rk3d"
	for _, content := range []string{
		small("admin: {token: [" + mark + "]}"),
		strings.Replace(small(""), `"memory://"`, `"redis://u:`+mark+`@%zz"`, 1),
		strings.Replace(small(""), `"memory://"`, `"redsi://u:`+mark+`@host"`, 1),
		strings.Replace(small(""), `"${COATCHECK_KEY}"`, mark, 1),
		strings.Replace(small(""), `"${SEND:-k}"`, `"`+mark+`\r\n"`, 1),
		strings.Replace(small(""), `"${SEND:-k}"`, `"`+mark+`" "`, 1),
		small("admin: {token: \"" + mark + "}"),
	} {
		_, faults := parse(content, nil)
		if len(faults) == 0 || strings.Contains(fmt.Sprint(faults), mark) {
			t.Errorf("%v\n%s", faults, content)
		}
	}
}
