package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// foreign are turns of phrase that make a text hard to read for an operator. They are
// kept out of every text that reaches people: strings of the program, documentation,
// configurations and their comments.
var foreign = regexp.MustCompile(`(?i)\bthis is no\b|\bis no (?:text|number|success|person|duration|size|store|field|host|name|YAML|end|value|form|wall)\b|` +
	`\b(?:is|are|was|were|never|not) told\b|\bnowhere told\b|\bcannot be had\b|\b(?:can|to) be had\b|\band not:|\bends in:|` +
	`\bstands? twice\b|\b(?:is|are) wanted\b|\bfor ever\b|\bletter for letter\b|\bgoes without saying\b|\ba want of\b|\bneighbours?\b|` +
	`\bblink(?:s|ed)?\b|\bno wall\b|\bnames nothing known\b|\bis none of\b|\bwould not travel\b|\bsay every fault\b|\btell what would\b|` +
	`\bknown here:|\bat the moment are told\b|\bwho waits\b|\b[Tt]old\. |\ba front\b|\b(?:lies?|lay) (?:in|at|beside|below|behind|there)\b|` +
	`(?:^|[ \x60"(])-(?:config|online|upstream|provider|caller|account|offline|refresh|logout)\b`) // `--help` prints two dashes

// idioms are where one of those words is the right one.
var idioms = regexp.MustCompile(`(?i)nextdoor neighbou?rs|neighbour of a node`)

// TestWords keeps foreign phrases out of what people read.
func TestWords(t *testing.T) {
	for file, line := range spokenLines(t) {
		for number, text := range line {
			if found := foreign.FindString(text); found != "" && !idioms.MatchString(text) {
				t.Errorf("%s:%d: %q in %q", file, number, found, text)
			}
		}
	}
	for _, text := range []string{"this is no duration: write 90s", "the API was told", "It cannot be had.", "None to be had", "  and not: avatar",
		"The token ends in: 3m", "this key stands twice", "text is wanted here",
		"the files lie in configs/apis", "headers that a front sets", "coatcheck check -config FILE"} {
		if !foreign.MatchString(text) {
			t.Errorf("%q is not found", text)
		}
	}
}

// spokenLines are the texts that reach people, by file and line.
func spokenLines(t *testing.T) map[string]map[int]string {
	t.Helper()
	lines := map[string]map[int]string{}
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", "node_modules", "testdata", "dist", ".tools", "bench", "rig", "storetest":
				return filepath.SkipDir
			}
			return nil
		}
		switch {
		case strings.HasSuffix(path, "_test.go"):
		case strings.HasSuffix(path, ".go"):
			lines[path] = stringsOf(t, path)
		case strings.HasSuffix(path, ".md"), strings.HasSuffix(path, ".yaml"):
			lines[path] = linesOf(t, path)
		}
		return nil
	})
	if err != nil || len(lines) < 300 {
		t.Fatal(len(lines), err)
	}
	return lines
}

// stringsOf are the string literals of a Go file.
func stringsOf(t *testing.T, path string) map[int]string {
	t.Helper()
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[int]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				texts[positions.Position(literal.Pos()).Line] += text + " "
			}
		}
		return true
	})
	return texts
}

// linesOf are the lines of a page or a configuration.
func linesOf(t *testing.T, path string) map[int]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[int]string{}
	for number, line := range strings.Split(string(content), "\n") {
		texts[number+1] = line
	}
	return texts
}
