package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"coatcheck/bff/metrics"
	"coatcheck/bff/process"
)

var update = flag.Bool("update", false, "write the generated parts of docs anew")

// described are all metrics of the program.
func described() []metrics.Description {
	counts := metrics.New("", "")
	process.AddReadings(counts, nil, nil, nil)
	return counts.Described()
}

// generated holds what stands between the two marks of a document against text.
func generated(t *testing.T, file, text string) {
	t.Helper()
	const begin, end = "<!-- generated -->\n", "<!-- end -->"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin)
	old, after, closed := strings.Cut(rest, end)
	switch {
	case !found || !closed:
		t.Fatalf("%s has no generated part", file)
	case old == text:
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+text+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is older than the code: run this test with -update", file)
	}
}

func TestMetricsReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, d := range described() {
		labels := ""
		if len(d.Labels) > 0 {
			labels = "`" + strings.Join(d.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, d.Type, labels, d.Help)
	}
	generated(t, "../docs/metrics.md", b.String())
}
