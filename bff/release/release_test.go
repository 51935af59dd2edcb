package main_test

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// made is what `make release` makes for this machine, on Linux, once for all tests: a folder,
// and how the names in it begin.
var made = sync.OnceValues(func() (begin string, err error) {
	dist, err := os.MkdirTemp("", "coatcheck-release")
	if err != nil {
		return "", err
	}
	pack := exec.Command("../../.ci/release", "linux/"+runtime.GOARCH)
	pack.Env = append(os.Environ(), "DIST="+dist, "VERSION=9.9.9")
	if out, err := pack.CombinedOutput(); err != nil {
		return "", &failure{err, string(out)}
	}
	begin = filepath.Join(dist, "coatcheck_9.9.9_linux_"+runtime.GOARCH)
	unpack := exec.Command("tar", "-xzf", begin+".tar.gz", "-C", dist)
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", &failure{err, string(out)}
	}
	return begin, nil
})

type failure struct {
	err  error
	said string
}

func (f *failure) Error() string { return f.err.Error() + "\n" + f.said }

func TestMain(m *testing.M) {
	code := m.Run()
	if begin, err := made(); err == nil {
		_ = os.RemoveAll(filepath.Dir(begin))
	}
	os.Exit(code)
}

func release(t *testing.T) (begin string) {
	t.Helper()
	begin, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return begin
}

// TestBillOfMaterials: the bill of a program lists each module that the program says it was
// built from, in that version, and no other.
func TestBillOfMaterials(t *testing.T) {
	begin := release(t)
	text, err := os.ReadFile(begin + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BomFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	if about := bill.Metadata.Component; bill.BomFormat != "CycloneDX" || about.Name != "coatcheck" || about.Version != "9.9.9" {
		t.Errorf("a bill in %q of %+v", bill.BomFormat, about)
	}
	var listed, built []string
	for _, c := range bill.Components {
		if c.Name != "std" { // Go's own library, which is no module of the program
			listed = append(listed, c.Name+"@"+c.Version)
		}
		if !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") {
			t.Errorf("%s has the address %q", c.Name, c.PURL)
		}
	}
	info, err := buildinfo.ReadFile(filepath.Join(begin, "coatcheck"))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		built = append(built, module.Path+"@"+module.Version)
	}
	slices.Sort(listed)
	slices.Sort(built)
	if len(built) == 0 || !slices.Equal(listed, built) {
		t.Errorf("listed:\n%s\nin the program:\n%s", strings.Join(listed, "\n"), strings.Join(built, "\n"))
	}
	sums, err := os.ReadFile(filepath.Join(filepath.Dir(begin), "checksums.txt"))
	if err != nil || strings.Count(string(sums), "\n") != 3 {
		t.Errorf("checksums of archive, bill and image: %v\n%s", err, sums)
	}
}
