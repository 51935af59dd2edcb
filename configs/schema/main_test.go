// Package schema_test holds the schema and the reference against the Go types of package
// configs. It is a module of its own: what makes a schema is not needed to read one.
package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

const aKey = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

// The tests run in the folder of package configs, whose files they read and write.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// example is example.yaml with a header more, for what it does not show.
func example(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(content), "body: {email:", "headers: {X: y}\n        body: {email:", 1)
}

// parse loads a text as a file of the folder it would stand in. vars go before
// what [environment] knows.
func parse(content string, vars map[string]string) (*configs.Config, []configs.Fault) {
	getenv := func(name string) (string, bool) {
		if value, ok := vars[name]; ok {
			return value, true
		}
		return environment(name)
	}
	return read.Text("coatcheck.yaml", []byte(content), getenv, os.ReadFile)
}

func shipped(t *testing.T) []string {
	t.Helper()
	apis, err := filepath.Glob("apis/*.yaml")
	if err != nil || len(apis) < 15 {
		t.Fatalf("%d files in apis (%v), want 15 at least", len(apis), err)
	}
	return append(apis, "example.yaml", "minimal.yaml", "demo.yaml")
}

func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"REDIS_URL": "redis://localhost:6379/0", "COATCHECK_KEY": aKey, "OIDC_CLIENT_SECRET": "secret", "WEBHOOK_SECRET": "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0",
		"API_KEY": "key", "API_CLIENT_ID": "id", "API_CLIENT_SECRET": "a client's secret",
		"DEMO_PORT": "8080", "DEMO_API": "http://127.0.0.1:8090", "DEMO_KEY": aKey,
	}[name]
	return value, ok
}
