package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors of the house: an import goes down, never sideways, never up. What only tests
// import stands on none of them, and may use what it likes.
var floors = map[string]int{
	"coatcheck/bff/socket":               -1, // the cellar: nothing of HTTP, nothing of sessions
	"coatcheck/bff/credential":           0,
	"coatcheck/bff/http1":                0,
	"coatcheck/bff/problem":              0,
	"coatcheck/bff/relay":                0,
	"coatcheck/bff/session/local":        1,
	"coatcheck/bff/session/pack":         0,
	"coatcheck/bff/session/ticket":       0,
	"coatcheck/bff/session/warnings":     0,
	"coatcheck/bff/terminal":             0,
	"coatcheck/configs/keypath":          0,
	"coatcheck/configs/rule":             0,
	"coatcheck/upstream":                 0,
	"coatcheck/upstream/oidc/lastgood":   0,
	"coatcheck/upstream/oidc/dpop":       1,
	"coatcheck/bff/apikey":               1,
	"coatcheck/bff/gate":                 1,
	"coatcheck/bff/headers":              1,
	"coatcheck/bff/keyring":              1,
	"coatcheck/bff/ratelimit":            1,
	"coatcheck/bff/session/store":        1,
	"coatcheck/bff/signature":            1,
	"coatcheck/bff/signature/sample":     2,
	"coatcheck/upstream/mapping":         1,
	"coatcheck/configs":                  2,
	"coatcheck/bff/session/store/memory": 2,
	"coatcheck/bff/session/store/redis":  2,
	"coatcheck/bff/session/record":       2,
	"coatcheck/bff/session":              3,
	"coatcheck/bff/proxy/affinity":       2,
	"coatcheck/bff/throttle":             2,
	"coatcheck/bff/metrics":              2,
	"coatcheck/bff/trace":                2,
	"coatcheck/upstream/demo":            2,
	"coatcheck/upstream/forward":         2,
	"coatcheck/web":                      2,
	"coatcheck/bff/pending":              4,
	"coatcheck/upstream/oidc":            4,
	"coatcheck/upstream/demo/provider":   2,
	"coatcheck/bff/routing":              3,
	"coatcheck/configs/check/checker":    3,
	"coatcheck/configs/check/upstreams":  4,
	"coatcheck/configs/check":            5,
	"coatcheck/bff/session/store/file":   3,
	"coatcheck/upstream/signin":          3,
	"coatcheck/bff/call":                 4,
	"coatcheck/bff/serviceaccount":       4,
	"coatcheck/configs/read":             6,
	"coatcheck/bff/session/store/open":   4,
	"coatcheck/upstream/trial":           4,
	"coatcheck/bff/auth":                 5,
	"coatcheck/bff/account":              6,
	"coatcheck/bff/pages":                6,
	"coatcheck/bff/proxy/tunnel":         5,
	"coatcheck/bff/proxy":                6,
	"coatcheck/bff/admin":                7,
	"coatcheck/bff/explain":              7,
	"coatcheck/bff/server":               7,
	"coatcheck/bff/command":              8,
	"coatcheck/bff/process":              8,
	"coatcheck/bff/demo":                 9,
	"coatcheck/bff/dev":                  9,
	"coatcheck/bff":                      10,
}

// testOnly are the packages that only tests import.
var testOnly = map[string]bool{
	"coatcheck/bff/freeport":                true,
	"coatcheck/bff/rig":                     true,
	"coatcheck/bff/transcript":              true,
	"coatcheck/bff/session/sessiontest":     true,
	"coatcheck/bff/session/store/storetest": true,
	"coatcheck/configs/configtest":          true,
	"coatcheck/upstream/realapi/realtest":   true,
	"coatcheck/web/e2e/provider":            true,
}

// shared begins the paths of the modules that several rooms may import. Every other
// third-party module is imported by one room; fasthttp and Fiber by server. go-jose is
// the language of both sides of a wire: a provider's client, and the demo's provider.
var shared = []string{"golang.org/x/", "github.com/go-jose/go-jose/"}

func isShared(module string) bool {
	return slices.ContainsFunc(shared, func(begin string) bool { return strings.HasPrefix(module, begin) })
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct{ Path string }
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard,Module"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestFloors: one can see from the import graph that the token cannot reach the
// browser but through the rooms that guard it.
func TestFloors(t *testing.T) {
	modules := map[string]string{}
	for _, p := range list(t, "-deps", "coatcheck/...") {
		if p.Module != nil {
			modules[p.ImportPath] = p.Module.Path
		}
	}
	owner := map[string]string{}
	for _, p := range list(t, "coatcheck/...") {
		if testOnly[p.ImportPath] {
			continue
		}
		floor, known := floors[p.ImportPath]
		if !known {
			t.Errorf("%s stands on no floor: add it to the map", p.ImportPath)
		}
		for _, i := range p.Imports {
			if testOnly[i] {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, i)
			}
			if below, ours := floors[i]; ours && below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, floor, i, below)
			}
			module := modules[i]
			if module == "" || module == "coatcheck" || isShared(module) {
				continue
			}
			if first := owner[module]; first != "" && first != p.ImportPath {
				t.Errorf("%s is imported by %s and %s", module, first, p.ImportPath)
			}
			owner[module] = p.ImportPath
		}
		if p.ImportPath == "coatcheck/bff/credential" || p.ImportPath == "coatcheck/bff/http1" {
			for _, i := range p.Imports {
				if modules[i] != "" {
					t.Errorf("%s imports %s: standard library only", p.ImportPath, i)
				}
			}
		}
	}
}

// lines counts the lines of a folder's Go files, tests aside.
func lines(t *testing.T, dir string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(text), "\n")
	}
	return n
}

// TestPackageMainIsSmall: package main is a table of commands, and no more.
func TestPackageMainIsSmall(t *testing.T) {
	if n := lines(t, "."); n == 0 || n > 400 {
		t.Errorf("%d lines, at most 400", n)
	}
}

// TestRoomsAreSmall: a newcomer can read a room in an afternoon.
func TestRoomsAreSmall(t *testing.T) {
	rooms := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return fs.SkipDir
		}
		n := lines(t, path)
		if n > 0 {
			rooms++
		}
		if n >= 3000 {
			t.Errorf("%s has %d lines, tests aside; a room has fewer than 3000", path, n)
		}
		return nil
	})
	if err != nil || rooms < len(floors) {
		t.Errorf("%d rooms were seen: %v", rooms, err)
	}
}

// TestModule: nothing that only tests need stands in the program's module.
func TestModule(t *testing.T) {
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"compose-spec/", "k8s.io/", "alexedwards/scs", "invopop/jsonschema", "rogpeppe/"} {
		if strings.Contains(string(text), module) {
			t.Errorf("go.mod requires %s", module)
		}
	}
}

// TestModulesAreTested: make test knows every module of the project, and so does what
// fetches their modules.
func TestModulesAreTested(t *testing.T) {
	for _, name := range []string{"../Makefile", "../.ci/prepare"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		known := string(text)
		err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == "realapi" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
				return fs.SkipDir
			}
			if dir, err := filepath.Rel("..", filepath.Dir(path)); err == nil && d.Name() == "go.mod" && dir != "." && !strings.Contains(known, dir) {
				t.Errorf("%s does not name %s", name, dir)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
