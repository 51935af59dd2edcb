package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are all Markdown files of the project.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../web/*/*.md", "../configs/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, names...)
	}
	if len(found) < 3 {
		t.Fatalf("only %q", found)
	}
	return found
}

// TestLinks follows every link between files of the project.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), target)); err != nil {
				t.Errorf("%s: %s leads nowhere", name, m[1])
			}
		}
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
	file, err := built()
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
	port := freePort(t)
	demo := start(t, nil, file, "demo", "-listen", "localhost:"+port)
	until(t, "the demo", func() bool { return status("http://localhost:"+port+"/bff/session") == 200 })
	shell := exec.Command("bash", "-e", "-c", strings.ReplaceAll(block, "localhost:8080", "localhost:"+port))
	shell.Dir = t.TempDir()
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, &demo.stderr)
	}
	for _, want := range []string{`"authenticated":true`, `"name":"Ada Lovelace"`, `"code":"session_expired"`, `"reason":"signed_out"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if !strings.Contains(demo.stdout.String(), "http://shop.coatcheck.localhost:"+port) {
		t.Errorf("the demo said %s", &demo.stdout)
	}
}
