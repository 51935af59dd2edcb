package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// TestReleaseArchive opens what `make release` makes: the program in it runs, its
// documentation, examples and manual page are there, and the checksum is right.
func TestReleaseArchive(t *testing.T) {
	binary, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	pack := exec.Command("../.ci/release", runtime.GOOS+"/"+runtime.GOARCH)
	pack.Env = append(os.Environ(), "BINARY="+binary, "DIST="+dist, "VERSION=9.9.9")
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	name := "coatcheck_9.9.9_" + runtime.GOOS + "_" + runtime.GOARCH
	shell := exec.Command("bash", "-euc", "sha256sum -c checksums.txt && tar xzf "+name+".tar.gz && "+name+"/coatcheck version && gzip -t "+name+"/extra/coatcheck.1.gz")
	shell.Dir = dist
	if out, err := shell.CombinedOutput(); err != nil || !strings.Contains(string(out), name+".tar.gz: OK") || !strings.Contains(string(out), "coatcheck ") {
		t.Fatalf("%v: %s", err, out)
	}
	for _, file := range []string{"README.md", "LICENSE", "CHANGELOG.md", "docs/README.md", "docs/runbook.md", "configs/minimal.yaml", "configs/coatcheck.schema.json",
		"configs/apis/keycloak.yaml", "configs/providers/keycloak.yaml", "configs/deploy/coatcheck.yaml", "configs/deploy/systemd/coatcheck.service", "extra/coatcheck.bash"} {
		if _, err := os.Stat(filepath.Join(dist, name, file)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dist, name, "configs/deploy/go.mod")); err == nil {
		t.Error("a test's module is in the archive")
	}
}

// TestInstall: `make install` of the README puts program, manual page and completions
// below PREFIX. What it builds is built elsewhere already.
func TestInstall(t *testing.T) {
	to := t.TempDir()
	out, err := exec.Command("make", "-n", "-C", "..", "install", "PREFIX="+to).CombinedOutput()
	for _, want := range []string{to + "/bin/coatcheck", to + "/share/man/man1/coatcheck.1", to + "/share/bash-completion/completions/coatcheck"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: no %s in\n%s", err, want, out)
		}
	}
}
