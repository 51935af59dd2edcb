// Package schema_test holds the schema and the reference against the Go types of package
// configs. It is a module of its own: what makes a schema is not needed to read one.
package schema_test

import (
	"coatcheck/configs/configtest"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The tests run in the folder of package configs, whose files they read and write.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func shipped(t *testing.T) []string {
	t.Helper()
	apis, err := filepath.Glob("apis/*.yaml")
	if err != nil || len(apis) < 15 {
		t.Fatalf("%d files in apis (%v), want 15 at least", len(apis), err)
	}
	return append(apis, "example.yaml", "minimal.yaml", "demo.yaml")
}

// What the tests of the configuration use as well.
var (
	example, parse   = configtest.Example, configtest.Parse
	sections, isOurs = configtest.Sections, configtest.IsOurs
)
