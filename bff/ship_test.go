package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"coatcheck/bff/command"
	"coatcheck/bff/rig"
)

// TestManualPage: the page has every command, and man has no complaint of it.
func TestManualPage(t *testing.T) {
	_, page, _ := runCommand(nil, "man")
	for _, c := range table(&command.Program{}).Commands {
		if !strings.Contains(page, c.Name) || !strings.Contains(page, strings.ReplaceAll(strings.Fields(c.Usage)[0], "'", `\(cq`)) {
			t.Errorf("%s is missing", c.Name)
		}
	}
	file := filepath.Join(t.TempDir(), "coatcheck.1")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	out := exec.Command("man", "--warnings=w", "-l", file)
	var complaints strings.Builder
	out.Stderr = &complaints
	shown, err := out.Output()
	if err != nil || complaints.Len() > 0 || !strings.Contains(string(shown), "COMMANDS") {
		t.Errorf("man: %v\n%s", err, &complaints)
	}
}

// TestCompletion: bash takes its script, and completes a command.
func TestCompletion(t *testing.T) {
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	script := `set -eu; PATH="$1:$PATH"; source <("$1/coatcheck" completion bash); complete -p coatcheck; coatcheck --generate-shell-completion`
	out, err := exec.Command("bash", "-c", script, "bash", filepath.Dir(file)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "complete ") || !strings.Contains(string(out), "healthcheck") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestReleaseFile: what a release packs is there, and every way of building the
// program builds the same.
func TestReleaseFile(t *testing.T) {
	text, err := os.ReadFile("../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var release struct {
		Builds []struct{ Flags, Ldflags, Goos, Goarch []string }
		Nfpms  []struct {
			Contents []struct{ Src, Dst string }
		}
		Dockers []struct{ Dockerfile string } `yaml:"dockers_v2"`
	}
	if err := yaml.Unmarshal(text, &release); err != nil {
		t.Fatal(err)
	}
	if len(release.Builds) != 1 || len(release.Nfpms) != 1 || len(release.Dockers) != 1 {
		t.Fatal("builds, packages or images are missing")
	}
	for _, c := range release.Nfpms[0].Contents {
		if strings.HasPrefix(c.Src, "dist-extra/") { // made by the hooks
			if !strings.Contains(string(text), "> "+c.Src) {
				t.Errorf("nothing makes %s", c.Src)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join("..", c.Src)); err != nil {
			t.Error(err)
		}
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, wants := range map[string][]string{
		"Makefile":                    {"CGO_ENABLED=0", "-trimpath", "-s -w", "-X main.version=", "-X main.commit="},
		"Dockerfile":                  {"CGO_ENABLED=0", "-trimpath", "-s -w", "-X main.version=", "-X main.commit=", "GOOS=$TARGETOS GOARCH=$TARGETARCH", "HEALTHCHECK", "USER 65532"},
		release.Dockers[0].Dockerfile: {"HEALTHCHECK", "USER 65532", "${TARGETPLATFORM}/coatcheck"},
		".goreleaser.yaml":            {"CGO_ENABLED=0", "-trimpath", "-s -w", "-X main.version=", "-X main.commit="},
	} {
		for _, want := range wants {
			if !strings.Contains(read(name), want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
	}
}
