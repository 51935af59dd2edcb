package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// TestEnvironmentComesFromMain: nothing but main looks into the process's environment,
// neither itself nor by HTTP's default transport, which takes a proxy from there.
func TestEnvironmentComesFromMain(t *testing.T) {
	forbidden := map[string][]string{
		"os":   {"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
		"http": {"DefaultClient", "DefaultTransport", "ProxyFromEnvironment", "Get", "Post", "Head", "PostForm"},
	}
	files := 0
	for _, room := range []string{".", "../configs", "../upstream", "../web"} {
		err := filepath.WalkDir(room, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && (d.Name() == "bench" || d.Name() == "conformance" || d.Name() == "node_modules" || d.Name() == "realapi" || d.Name() == "rig" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".") {
				return fs.SkipDir // programs of their own, what only tests import, and what tools keep
			}
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "main.go" {
				return err
			}
			files++
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if p, ok := s.X.(*ast.Ident); ok && slices.Contains(forbidden[p.Name], s.Sel.Name) {
						t.Errorf("%s: %s.%s", name, p.Name, s.Sel.Name)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were read", files)
	}
}

// TestHealthcheckTakesNoProxy: a proxy of the environment is not asked for our own
// admin listener. 0.0.0.0 is this machine, and no loopback address to net/http.
func TestHealthcheckTakesNoProxy(t *testing.T) {
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	ready := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		select {
		case asked <- q.URL.Path:
		default:
		}
	}))
	defer ready.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(ready.URL, "http://"), ":")
	rig.Until(t, "health", func() bool { // it asks for five seconds at most
		p := rig.Start(t, []string{"HTTP_PROXY=" + proxy.URL}, file, "healthcheck", "--admin", "http://0.0.0.0:"+port)
		<-p.Exited
		return p.ProcessState.ExitCode() == exitDone
	})
	select {
	case path := <-asked:
		if path != "/readyz" {
			t.Errorf("asked for %s", path)
		}
	default:
		t.Error("nobody was asked")
	}
}
