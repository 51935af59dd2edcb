package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestLifeOfACall: each function or type that docs/life-of-a-call.md names is in the file
// that it leads to.
func TestLifeOfACall(t *testing.T) {
	page, err := os.ReadFile("../docs/life-of-a-call.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("\\[`(\\w+)`\\]\\(([^)]+\\.go)\\)").FindAllSubmatch(page, -1)
	if len(named) < 25 {
		t.Errorf("only %d names", len(named))
	}
	for _, m := range named {
		name, file := string(m[1]), filepath.Join("../docs", string(m[2]))
		code, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if !regexp.MustCompile(`(?m)^(func (\([^)]*\) )?` + name + `\(|type ` + name + ` )`).Match(code) {
			t.Errorf("%s has no %s", file, name)
		}
	}
}
