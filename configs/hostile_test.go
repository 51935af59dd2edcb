package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// A configuration is the operator's, but it may come through many hands. None of
// these may take the process, its memory or its time.
func TestHostileFiles(t *testing.T) {
	for what, content := range map[string]string{
		"empty":                   "",
		"spaces":                  "   \n\n",
		"a comment":               "# nothing\n",
		"a scalar":                "hello",
		"a list":                  "- a\n- b\n",
		"null":                    "null",
		"brackets":                strings.Repeat("[", 200_000),
		"braces":                  strings.Repeat("{", 200_000),
		"keyed braces":            strings.Repeat("{a: ", 60_000),
		"dashes on a line":        strings.Repeat("- ", 100_000),
		"question marks":          strings.Repeat("? ", 100_000),
		"tags":                    strings.Repeat("!a ", 80_000) + "x",
		"anchors":                 strings.Repeat("&a ", 80_000) + "x",
		"deep indentation":        indented(700),
		"deep lists":              deepLists(700),
		"exponential aliases":     exponential(30),
		"wide aliases":            wide(),
		"an alias of itself":      "a: &a [*a]\n",
		"a merge of itself":       "a: &a {<<: *a}\n",
		"too large":               strings.Repeat("#", 256<<10+1),
		"NUL":                     "listen: \"\x00\"\n",
		"not UTF-8":               "listen: \xff\n",
		"UTF-16":                  "\xff\xfel\x00i\x00",
		"many keys":               strings.Repeat("a: b\n", 50_000),
		"a long key":              strings.Repeat("k", 250_000) + ": 1\n",
		"many documents":          strings.Repeat("---\n", 60_000),
		"an endless quote":        "a: \"" + strings.Repeat("x", 250_000),
		"an endless block":        "a: |\n" + strings.Repeat("  x\n", 60_000),
		"carriage returns":        strings.Repeat("a: b\r", 40_000),
		"colons":                  strings.Repeat(":", 200_000),
		"a mapping in a key":      "{a: b}: c\n",
		"invalid percent-escape":  "a: \"\\xZZ\"\n",
		"infinity":                "listen: .inf\n",
		"a huge number":           "sessions: {max_per_person: 1e400}\n",
		"an empty key":            "\"\": x\n",
		"a key with every letter": "\"a.b[c]\\\"\\n\": x\n",
	} {
		t.Run(what, func(t *testing.T) {
			c, faults := parse(content, nil)
			if c != nil || len(faults) == 0 {
				t.Fatal("accepted")
			}
			for _, f := range faults {
				if f.Line < 1 || f.Column < 1 || f.Message == "" {
					t.Fatalf("a fault without place or words: %+v", f)
				}
			}
		})
	}
}

// The bounds are what ends these, not the patience of a parser.
func TestBoundsHoldBeforeTheParser(t *testing.T) {
	for content, want := range map[string]string{
		strings.Repeat("a: b\n", 10_000): "too large for",
		strings.Repeat("[", 100):         "nested too deeply",
		strings.Repeat("{a: ", 100):      "nested too deeply",
		strings.Repeat("- ", 100) + "x":  "nested too deeply",
		strings.Repeat("&a ", 100) + "x": "nested too deeply",
		indented(100):                    "nested too deeply",
		wide():                           "too ",
	} {
		_, faults := parse(content, nil)
		if !strings.Contains(fmt.Sprint(faults), want) {
			t.Errorf("%.20q…: %v, want %q", content, faults, want)
		}
	}
}

func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func deepLists(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "-\n")
	}
	return b.String()
}

// exponential doubles at each level; at thirty it would hold a thousand million nodes.
func exponential(levels int) string {
	var b strings.Builder
	b.WriteString("a: &n0 [x, x]\n")
	last := "n0"
	for i := range levels {
		name := "n" + strings.Repeat("i", i+1)
		b.WriteString("k" + name + ": &" + name + " [*" + last + ", *" + last + "]\n")
		last = name
	}
	return b.String()
}

// wide holds 200 times what a file may hold.
func wide() string {
	return "a: &a [" + strings.Repeat("x, ", 10_000) + "x]\nb: [" + strings.Repeat("*a, ", 1000) + "*a]\n"
}

func TestAnchorsAndMergeKeysWork(t *testing.T) {
	content := strings.Replace(small(""), "frontends:", `frontends:
  admin:
    origins: ["http://localhost:8081"]
    throttle: &strict {account: 3, window: 10m}
    login: &login {upstream: api, fields: [email, password]}
    routes: &routes
      - &api {path: /api/, upstream: api, session: optional}
      - {<<: *api, path: /v2/, methods: [GET]}
  third:
    origins: ["http://localhost:8082"]
    throttle: {<<: *strict, account: 4}
    login: *login
    routes: *routes`, 1)
	c := mustParse(t, content)
	admin, third := c.Frontends["admin"], c.Frontends["third"]
	if third.Throttle.Account != 4 || third.Throttle.Window != admin.Throttle.Window || third.Throttle.Window.Minutes() != 10 {
		t.Errorf("%+v", third.Throttle)
	}
	if third.Login.Upstream != "api" || len(third.Routes) != 2 || third.Routes[0] == admin.Routes[0] {
		t.Errorf("%+v", third)
	}
	second := admin.Routes[1]
	if second.Path != "/v2/" || second.Session != "optional" || len(second.Methods) != 1 {
		t.Errorf("%+v", second)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#", 5<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "none.yaml"): "file not found",
		folder:                             "cannot be read",
		large:                              "larger than 4 MiB",
		"/dev/zero":                        "larger than 4 MiB",
	} {
		c, faults := read.File(path, environment)
		if c != nil || len(faults) != 1 || !strings.Contains(faults[0].String(), want) || !strings.HasPrefix(faults[0].String(), path) {
			t.Errorf("%s: %v", path, faults)
		}
	}
}

func TestFaultsPrintOnOneLine(t *testing.T) {
	for want, f := range map[string]configs.Fault{
		"coatcheck.yaml:12:5: frontends.shop.cookie.name: wrong (hint: right)": {File: "coatcheck.yaml", Line: 12, Column: 5, Path: "frontends.shop.cookie.name", Message: "wrong", Hint: "right"},
		"c.yaml:1:2: warning: a: unwise":                                       {File: "c.yaml", Line: 1, Column: 2, Path: "a", Message: "unwise", Warning: true},
		"c.yaml: cannot be read":                                               {File: "c.yaml", Message: "cannot be read"},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	_, faults := parse("\"a\\nb\\x1b[31m\": 1\n", nil)
	_, more := parse(strings.Replace(small(""), "http://localhost", `HTTP://A\x1b\n[31m`, 1), nil)
	for _, f := range append(faults, more...) {
		if strings.ContainsAny(f.String(), "\n\x1b") {
			t.Errorf("%q", f.String())
		}
	}
}

// TestTooMuch: what would keep the YAML library busy for minutes is refused at once, and
// thousands of values are not.
func TestTooMuch(t *testing.T) {
	var keys strings.Builder
	for i := range 7000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	nested := "a:\n  " + strings.ReplaceAll(keys.String(), "\n", "\n  ") + "\nb: 1"
	for name, c := range map[string]struct{ content, want string }{
		"keys":        {keys.String(), "too large for a configuration"},
		"keys below":  {nested, "too large for a configuration"},
		"equal keys":  {strings.Repeat("k: 1\n", 7000), "too large for a configuration"},
		"marked keys": {strings.Repeat("? k\n: 1\n", 7000), "too large for a configuration"},
		"documents":   {strings.Repeat("---\na: 1\n", 7000), "too large for a configuration"},
		"values":      {"a: [" + strings.Repeat("1, ", 260_000) + "1]", "too large for a configuration"},
		"a long list": {"a: [" + strings.Repeat("1, ", 10_000) + "1]", "unknown key"},
		"many tables": {"a:" + strings.Repeat("\n  - k: 1\n    l: 2\n    m: 3", 5000), "unknown key"},
	} {
		c2, faults := parse(c.content, nil)
		if c2 != nil || len(faults) == 0 || !strings.Contains(faults[0].Message, c.want) {
			t.Errorf("%s: %.200v", name, faults)
		}
	}
}
