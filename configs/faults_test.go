package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// expected reads what a bad file says about itself: on the line where a fault
// must be reported stands "# fault PATH: words" (or "# warning …"), several times
// if need be. "-" is the path of a fault of YAML itself.
func expected(t *testing.T, content string) []string {
	t.Helper()
	var list []string
	number := 0
	for line := range strings.Lines(content) {
		number++
		for _, kind := range []string{"fault", "warning"} {
			parts := strings.Split(line, "# "+kind+" ")
			for _, part := range parts[1:] {
				part, _, _ = strings.Cut(part, " # ")
				list = append(list, fmt.Sprintf("%d %s %s", number, kind, strings.TrimSpace(part)))
			}
		}
	}
	if len(list) == 0 {
		t.Error("the file expects nothing")
	}
	return list
}

// meets reports whether a fault is the one that is expected.
func meets(want string, f configs.Fault) bool {
	kind, path := "fault", f.Path
	if f.Warning {
		kind = "warning"
	}
	if path == "" {
		path = "-"
	}
	words, ok := strings.CutPrefix(want, fmt.Sprintf("%d %s %s: ", f.Line, kind, path))
	return ok && strings.Contains(f.Message+" "+f.Hint, words)
}

func TestEveryFaultIsReportedAtOnceAndAtItsLine(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no bad files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, faults := read.File(file, environment)
			if c != nil && configs.Refused(faults) || c == nil && !configs.Refused(faults) {
				t.Errorf("configuration %v with faults %v", c, faults)
			}
			compare(t, expected(t, string(content)), faults)
		})
	}
}

func compare(t *testing.T, want []string, faults []configs.Fault) {
	t.Helper()
	for _, f := range faults {
		i := slices.IndexFunc(want, func(w string) bool { return meets(w, f) })
		if i < 0 {
			t.Errorf("not expected: %s", f)
			continue
		}
		want = slices.Delete(want, i, i+1)
	}
	for _, w := range want {
		t.Errorf("not reported: line %s", w)
	}
}
