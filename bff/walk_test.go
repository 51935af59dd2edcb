package main

import (
	"bytes"
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
		if !regexp.MustCompile(`(?m)^(func (\([^)]*\) )?` + name + `\(|type ` + name + `[ \[])`).Match(code) {
			t.Errorf("%s has no %s", file, name)
		}
	}
}

// TestWalkIsShort: from the gate to the forwarder the table leads through nine files of ours
// at most, and through none of them more than twice.
func TestWalkIsShort(t *testing.T) {
	page, err := os.ReadFile("../docs/life-of-a-call.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| \\d+ \\| \\[`\\w+`\\]\\(\\.\\./([^)]+)\\)")
	walk, _, _ := bytes.Cut(page, []byte("## A sign-in"))
	visits, arrived := map[string]int{}, false
	for _, m := range row.FindAllSubmatch(walk, -1) {
		file := string(m[1])
		if arrived = filepath.Dir(file) == "upstream/forward"; arrived {
			break
		}
		if filepath.Dir(file) == "bff/gate" {
			continue
		}
		if visits[file]++; visits[file] > 2 {
			t.Errorf("%s is entered %d times, at most 2", file, visits[file])
		}
	}
	if !arrived {
		t.Error("the forwarder is not in the table")
	}
	if n := len(visits); n < 5 || n > 9 {
		t.Errorf("%d files between gate and forwarder, at most 9: %v", n, visits)
	}
}
