package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// checked runs the built program's check on a file, as an operator does.
func checked(t *testing.T, file string) (code int, said string) {
	t.Helper()
	program, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "check", "-config", file)
	c.Env = []string{"REDIS_URL=redis://localhost:6379/0", "COATCHECK_KEY=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=",
		"API_KEY=key", "API_CLIENT_ID=id", "API_CLIENT_SECRET=a client's secret",
		"DEMO_PORT=8080", "DEMO_API=http://127.0.0.1:8090", "DEMO_KEY=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="}
	out, _ := c.CombinedOutput()
	return c.ProcessState.ExitCode(), string(out)
}

func folder(t *testing.T, pattern string, least int) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < least {
		t.Fatalf("%s: only %q (%v)", pattern, files, err)
	}
	return files
}

// TestCheckGoodFiles: nothing is wrong with them.
func TestCheckGoodFiles(t *testing.T) {
	t.Parallel()
	files := append(folder(t, "../configs/testdata/good/*.yaml", 2), folder(t, "../configs/apis/*.yaml", 15)...)
	for _, file := range append(files, "../configs/minimal.yaml", "../configs/demo.yaml") {
		code, said := checked(t, file)
		found, _, _ := strings.Cut(said, "\nregister at ")            // of a provider: no fault
		found, _, _ = strings.Cut(found, "upstream far: through the") // a proxy: no fault either
		if code != exitDone || found != file+": OK\n" {
			t.Errorf("%s: exit %d\n%s", file, code, said)
		}
	}
}

// TestCheckBadFiles: each fault that a file says of itself ("# fault PATH: words", "#
// warning …") is said with file, line and path, all at once, and nothing else is;
// warnings alone refuse nothing.
func TestCheckBadFiles(t *testing.T) {
	t.Parallel()
	mark := regexp.MustCompile(`# (fault|warning) ([^:#]+): `)
	for _, file := range folder(t, "../configs/testdata/bad/*.yaml", 20) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code, said := checked(t, file)
		faults, marks := 0, 0
		for i, line := range strings.Split(string(content), "\n") {
			for _, m := range mark.FindAllStringSubmatch(line, -1) {
				marks++
				kind, path := m[1], ": "+regexp.QuoteMeta(m[2])
				if kind == "fault" {
					kind, faults = "error", faults+1
				}
				if m[2] == "-" {
					path = "(: -)?" // YAML itself, or a key of that name
				}
				want := regexp.MustCompile(fmt.Sprintf(`(?m)^%s:%d:\d+: %s%s$`, regexp.QuoteMeta(file), i+1, kind, path))
				if !want.MatchString(said) {
					t.Errorf("%s: line %d: no %s%s in\n%s", file, i+1, kind, path, said)
				}
			}
		}
		if got := strings.Count("\n"+said, "\n"+file+":"); faults > 0 && got != marks || faults == 0 && got != marks+1 {
			t.Errorf("%s: %d places said, %d expected\n%s", file, got, marks, said)
		}
		if want := map[bool]int{true: exitRefused, false: exitDone}[faults > 0]; code != want {
			t.Errorf("%s: exit %d, not %d", file, code, want)
		}
		for line := range strings.Lines(said) {
			if len([]rune(line)) > 101 && !strings.HasPrefix(line, file) {
				t.Errorf("%s: too wide: %s", file, line)
			}
		}
	}
}
