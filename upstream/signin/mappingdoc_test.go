package signin_test

import (
	"os"
	"strings"
	"testing"
)

// TestMappingPage: every mapping of docs/mapping.md is taken by check, and compiles.
func TestMappingPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")
	if len(blocks) < 5 {
		t.Fatalf("%d mappings", len(blocks)-1)
	}
	for _, block := range blocks[1:] {
		mapping, _, _ := strings.Cut(block, "```")
		newSet(t, parseMapping(t, mapping))
	}
}
