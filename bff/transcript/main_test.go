// Package transcript_test plays calls and sign-ins against the built program and
// compares whole transcripts with golden files: the request as the browser sent it,
// the request as the API received it, the answer as the browser received it, and the
// access log line. It knows nothing of the program but its command line, its
// configuration and its sockets, so that the code may be arranged in any way.
//
//	go test ./bff/transcript            compares
//	go test ./bff/transcript -update    rewrites testdata/*.txt
//
// A scenario is a value of type scenario in one of the tables (*_table_test.go); its
// golden file is testdata/<name>.txt. What differs from run to run is replaced by
// names; volatile_test.go holds every such rule.
package transcript_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// binary is the built program.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if !flagGiven("test.parallel") { // scenarios wait far more than they work: the log is written ten times a second
		_ = flag.Set("test.parallel", "12")
	}
	os.Exit(buildAndRun(m))
}

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "transcript")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "coatcheck")
	if out, err := exec.Command("go", "build", "-o", binary, "coatcheck/bff").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// scenario is a story that one process plays, and that one golden file holds.
type scenario struct {
	name   string // of the golden file
	about  string // first line of the golden file
	config string // YAML
	stores []string
	events bool // the golden file holds the security events too
	loose  []string
	play   func(*play)
}

// Stores that a scenario can run on. All of a scenario's stores share one golden file.
const (
	memory = "memory"
	redis  = "redis"
)

func scenarios() []scenario {
	return slices.Concat(gateTable, orderTable, headerTable, bodyTable, streamTable, signInTable,
		sessionTable, refreshTable, throttleTable, pageTable, sharedTable, failureTable, operatorTable)
}

func TestTranscripts(t *testing.T) {
	for _, s := range scenarios() {
		stores := s.stores
		if stores == nil {
			stores = []string{memory}
		}
		for _, store := range stores {
			t.Run(s.name+"/"+store, func(t *testing.T) {
				t.Parallel()
				got := run(t, s, store)
				for n := 0; n < 20 && store == redis && calledAway(s.name, got); n++ {
					got = run(t, s, store)
				}
				compare(t, s.name, got)
			})
		}
	}
}

// calledAway reports whether a transcript tells of a store that is away, and the golden file
// does not: a busy machine's Redis took too long to answer, and the scenario is played again.
func calledAway(name, got string) bool {
	const word = "store_unavailable"
	want, _ := os.ReadFile(goldenFile(name))
	return strings.Contains(got, word) && !strings.Contains(string(want), word)
}

func goldenFile(name string) string { return filepath.Join("testdata", name+".txt") }

// TestGoldenFiles finds files that no scenario writes, and names used twice.
func TestGoldenFiles(t *testing.T) {
	known := map[string]bool{}
	for _, s := range scenarios() {
		if known[s.name] {
			t.Errorf("two scenarios are named %s", s.name)
		}
		known[s.name] = true
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); !known[name] {
			t.Errorf("%s belongs to no scenario", file)
		}
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := goldenFile(name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it. The transcript:\n%s", err, got)
	}
	if string(want) != got {
		t.Errorf("the transcript differs from %s (- golden, + now):\n%s", file, diff(string(want), got))
	}
}
