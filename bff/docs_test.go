package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"coatcheck/bff/command"
	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// documents are all Markdown files of the project, by name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../web/*/*.md", "../configs/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(text)
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d", len(found))
	}
	return found
}

var (
	linked  = regexp.MustCompile(`\]\(([^)]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// anchors are those that GitHub makes of a page's headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		found[slug] = true
	}
	return found
}

// TestLinks follows every link between files of the project, to its heading.
func TestLinks(t *testing.T) {
	all := documents(t)
	for name, text := range all {
		for _, m := range linked.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := name
			if target != "" {
				file = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %s leads nowhere", name, m[1])
			} else if anchor != "" && !anchors(all[file])[anchor] {
				t.Errorf("%s: %s has no such heading", name, m[1])
			}
		}
	}
	for name := range all {
		if base := filepath.Base(name); filepath.Dir(name) == "../docs" && base != "README.md" && !strings.Contains(all["../docs/README.md"], "("+base+")") {
			t.Errorf("docs/README.md does not lead to %s", base)
		}
	}
}

// TestNamedTests: every test that a page names is there.
func TestNamedTests(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("..", func(name string, entry os.DirEntry, err error) error {
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == ".tools") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`).FindAllSubmatch(text, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(there) < 300 {
		t.Fatalf("%d tests, %v", len(there), err)
	}
	named := 0
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile(`\b((?:Test|Fuzz|Benchmark)[A-Z]\w+)`).FindAllString(text, -1) {
			if named++; !there[m] {
				t.Errorf("%s names %s", name, m)
			}
		}
	}
	if named < 40 {
		t.Errorf("only %d are named", named)
	}
}

// TestNamedCommands: every make target and every command of ours that a page names is
// there.
func TestNamedCommands(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]bool{"help": true, "completion": true}
	for _, c := range table(&command.Program{}).Commands {
		commands[c.Name] = true
	}
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("`make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(makefile) {
				t.Errorf("%s names make %s", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`(?:\\$COATCHECK/)?coatcheck ([a-z]+)").FindAllStringSubmatch(text, -1) {
			if !commands[m[1]] {
				t.Errorf("%s names coatcheck %s", name, m[1])
			}
		}
	}
}

// TestConfigurationsInPages: what a page shows as a configuration passes check.
func TestConfigurationsInPages(t *testing.T) {
	_, key, _ := runCommand(nil, "keygen")
	env := map[string]string{"REDIS_URL": "rediss://redis.internal/0", "COATCHECK_KEY": strings.TrimSpace(key), "CLIENT_SECRET": "client-secret"}
	checked := 0
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("(?s)<!-- test:check -->\n```yaml\n(.*?)\n```").FindAllStringSubmatch(text, -1) {
			file := filepath.Join(t.TempDir(), "coatcheck.yaml")
			if err := os.WriteFile(file, []byte(m[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			checked++
			if code, stdout, stderr := runCommand(env, "check", "-config", file); code != exitDone {
				t.Errorf("%s: %s%s", name, stdout, stderr)
			}
		}
	}
	if checked < 2 {
		t.Errorf("only %d", checked)
	}
}

// TestWaysInPages: the upstreams of docs/ways.md, each with the line that the page has for
// the frontend, and with the page's routes, pass check.
func TestWaysInPages(t *testing.T) {
	_, key, _ := runCommand(nil, "keygen")
	text := documents(t)["../docs/ways.md"]
	_, routes, _ := strings.Cut(text, "```yaml\nroutes:\n")
	routes, _, _ = strings.Cut(routes, "```")
	upstreams := regexp.MustCompile("(?s)```yaml\n(api:\n.*?\n)```.*?`(login: {[^`]*})`").FindAllStringSubmatch(text, -1)
	if len(upstreams) != 2 || routes == "" {
		t.Fatalf("%d upstreams, routes %q", len(upstreams), routes)
	}
	for _, m := range upstreams {
		login := strings.Replace(m[2], "…", "upstream: api, fields: [email, password]", 1)
		whole := "sessions: {store: \"rediss://redis.internal/0\", keys: [\"${KEY}\"]}\nupstreams:\n" + indented("  ", m[1]) +
			"frontends:\n  shop:\n    origins: [\"https://shop.example.com\"]\n    " + login + "\n    routes:\n" + indented("    ", routes)
		file := filepath.Join(t.TempDir(), "coatcheck.yaml")
		if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, stdout, stderr := runCommand(map[string]string{"KEY": strings.TrimSpace(key)}, "check", "-config", file); code != exitDone || strings.Contains(stderr, "warning") {
			t.Errorf("%s\n%s%s", whole, stdout, stderr)
		}
	}
}

// indented puts every line further in.
func indented(by, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(by + line)
	}
	return b.String()
}

// TestHTTPReference: docs/http.md has the addresses of configs/openapi.yaml, which are
// held against the handlers, and those of the admin listener; and no other.
func TestHTTPReference(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := map[string]bool{}
	path := ""
	for line := range strings.Lines(read("../configs/openapi.yaml")) {
		if m := regexp.MustCompile(`^  (/bff/\S+):$`).FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			path = m[1]
		} else if m := regexp.MustCompile(`^    (get|post|put|patch|delete):$`).FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			want[strings.ToUpper(m[1])+" "+path] = true
		}
	}
	for _, m := range regexp.MustCompile(`mux\.Handle(?:Func)?\("([A-Z]+ /\S+)"`).FindAllStringSubmatch(read("admin/admin.go"), -1) {
		want[m[1]] = true
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`?]+)").FindAllStringSubmatch(read("../docs/http.md"), -1) {
		told[m[1]] = true
	}
	if len(want) < 12 || !maps.Equal(want, told) {
		t.Errorf("told %v\nthere %v", slices.Sorted(maps.Keys(told)), slices.Sorted(maps.Keys(want)))
	}
}

// TestReadmeMinimal: the configuration in the README is the file, to the letter.
func TestReadmeMinimal(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	minimal, err := os.ReadFile("../configs/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+string(minimal)+"```") {
		t.Error("README.md and configs/minimal.yaml differ")
	}
}

// TestReadmeWalkthrough runs the README's curl walk-through against the demo.
func TestReadmeWalkthrough(t *testing.T) {
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(readme), "<!-- test:walkthrough -->\n```sh\n")
	block, _, closed := strings.Cut(block, "\n```")
	if !ok || !closed {
		t.Fatal("the README has no walk-through")
	}
	port := freeport.Text(t)
	demo := rig.Start(t, nil, file, "demo", "-listen", "localhost:"+port)
	rig.Until(t, "the demo", func() bool { return rig.Status("http://localhost:"+port+"/bff/session") == 200 })
	shell := exec.Command("bash", "-e", "-c", strings.ReplaceAll(block, "localhost:8080", "localhost:"+port))
	shell.Dir = t.TempDir()
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, &demo.Log)
	}
	for _, want := range []string{`"authenticated":true`, `"name":"Ada Lovelace"`, `"code":"session_expired"`, `"reason":"signed_out"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if !strings.Contains(demo.Printed.String(), "http://shop.coatcheck.localhost:"+port) {
		t.Errorf("the demo said %s", &demo.Printed)
	}
}
