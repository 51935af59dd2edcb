package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors of the house: an import goes down, never sideways, never up.
var floors = map[string]int{
	"coatcheck/bff/credential": 0,
	"coatcheck/bff/http1":      0,
	"coatcheck/bff/signature":  1,
	"coatcheck/bff/apikey":     1,
	"coatcheck/bff/ratelimit":  1,
	"coatcheck/configs":        2,
	"coatcheck/bff/gate":       1,
	"coatcheck/bff/session":    3,
	"coatcheck/bff/metrics":    3,
	"coatcheck/bff/trace":      3,
	"coatcheck/upstream":       3,
	"coatcheck/upstream/demo":  3,
	"coatcheck/web":            3,
	"coatcheck/bff/server":     4,
	"coatcheck/bff/admin":      4,
	"coatcheck/bff":            5,
	rig:                        5,
}

// rig measures the program from outside, beside others: it is no room of the house
// and may use what it likes.
const rig = "coatcheck/bff/bench"

// owners of third-party modules: each is imported by one room, but for fasthttp,
// which is the shared language of both sides of the wire, golang.org/x, and go-jose,
// which reads the tokens of providers and of callers.
var shared = []string{"github.com/valyala/fasthttp", "golang.org/x/", "github.com/go-jose/go-jose/v4"}

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
		if p.ImportPath == rig && !slices.ContainsFunc(p.Imports, func(i string) bool { return strings.HasPrefix(i, "coatcheck/") }) {
			continue
		}
		floor, known := floors[p.ImportPath]
		if !known {
			t.Errorf("%s stands on no floor: add it to the map", p.ImportPath)
		}
		for _, i := range p.Imports {
			if below, ours := floors[i]; ours && below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, floor, i, below)
			}
			module := modules[i]
			if module == "" || module == "coatcheck" || strings.HasPrefix(module, shared[1]) || module == shared[0] || module == shared[2] {
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
