package configs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// shipped lists every configuration that comes with the project.
func shipped(t *testing.T) []string {
	t.Helper()
	apis, err := filepath.Glob("apis/*.yaml")
	if err != nil || len(apis) < 15 {
		t.Fatalf("%d files in apis (%v), want 15 at least", len(apis), err)
	}
	return slices.Concat(apis, readyProviders(t), []string{"example.yaml", "minimal.yaml", "demo.yaml"})
}

// readyProviders lists the ready files of providers.
func readyProviders(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("providers/*.yaml")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d files in providers (%v), want 14 at least", len(files), err)
	}
	return files
}

func TestShippedFilesLoadWithoutAWord(t *testing.T) {
	for _, file := range shipped(t) {
		t.Run(file, func(t *testing.T) {
			c, faults := load(t, file)
			for _, f := range faults {
				if !f.Warning || file != "providers/linkedin.yaml" || f.Path != "providers.linkedin.nonce" { // LinkedIn leaves no choice
					t.Errorf("%s", f)
				}
			}
			if c == nil {
				t.Fatal("refused")
			}
		})
	}
}

// load reads a shipped file with the files beside it that an operator makes.
func load(t *testing.T, file string) (*configs.Config, []configs.Fault) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return read.Text(file, content, environment, func(string) ([]byte, error) { return []byte("a secret in a file"), nil })
}

func TestShippedFilesPointEditorsToTheSchema(t *testing.T) {
	rows, err := filepath.Glob("callers/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(shipped(t), rows...) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(content), "\n")
		path, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), path)); !ok || err != nil {
			t.Errorf("%s begins with %q, which leads to no schema", file, first)
		}
	}
}

func TestMinimalIsMinimal(t *testing.T) {
	content, err := os.ReadFile("minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(content)) {
		if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, "#") {
			lines++
		}
	}
	if lines > 20 {
		t.Errorf("minimal.yaml has %d lines of configuration, 20 are promised", lines)
	}
}

func TestDemoIsTwoFrontendsOfOneSite(t *testing.T) {
	c, faults := read.Text("demo.yaml", configs.Demo(), environment, nil)
	if c == nil {
		t.Fatal(faults)
	}
	shop, admin := c.Frontends["shop"], c.Frontends["admin"]
	if got := strings.Join(shop.Hosts(), " "); got != "shop.coatcheck.localhost localhost" {
		t.Errorf("shop answers at %q", got)
	}
	if got := strings.Join(admin.Hosts(), " "); got != "admin.coatcheck.localhost" {
		t.Errorf("admin answers at %q", got)
	}
	if shop.Cookie.Name != "__Host-Http-shop" || admin.Cookie.Name != "__Host-Http-admin" {
		t.Errorf("cookies %q and %q", shop.Cookie.Name, admin.Cookie.Name)
	}
}
