package main

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// What a newcomer can hold in mind. A struct counts its own fields, an embedded one as
// one; a type counts its own methods. Tests keep to the first two as well; a test's
// table may be as long as it has rows.
const (
	mostFields  = 20
	mostMethods = 25
	mostLines   = 55
)

// shapes counts what the Go files of the tree declare.
type shapes struct {
	t       *testing.T
	files   *token.FileSet
	methods map[string]int // by folder and type
	structs int
	funcs   int
}

// TestShapes: no struct, type or function outgrows what a newcomer can hold in mind,
// in any module of the project.
func TestShapes(t *testing.T) {
	s := &shapes{t: t, files: token.NewFileSet(), methods: map[string]int{}}
	eachGoFile(t, s.files, s.file)
	for name, n := range s.methods {
		if n > mostMethods {
			t.Errorf("%s has %d methods, at most %d", name, n, mostMethods)
		}
	}
	if s.structs < 500 || s.funcs < 3000 || len(s.methods) < 300 {
		t.Errorf("only %d structs, %d functions and %d types with methods were seen", s.structs, s.funcs, len(s.methods))
	}
}

func (s *shapes) file(path string, f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			s.structs++
			if fields := n.Fields.NumFields(); fields > mostFields {
				s.t.Errorf("%s: a struct of %d fields, at most %d", s.files.Position(n.Pos()), fields, mostFields)
			}
		case *ast.FuncDecl:
			s.function(path, n)
		}
		return true
	})
}

func (s *shapes) function(path string, f *ast.FuncDecl) {
	s.funcs++
	first, last := s.files.Position(f.Pos()).Line, s.files.Position(f.End()).Line
	if n := last - first + 1; n > mostLines && !strings.HasSuffix(path, "_test.go") {
		s.t.Errorf("%s: %s has %d lines, at most %d", path, f.Name.Name, n, mostLines)
	}
	if f.Recv != nil {
		s.methods[filepath.Dir(path)+"."+receiverOf(f.Recv.List[0].Type)]++
	}
}

// receiverOf names the type of a method: T of T, *T and *T[X].
func receiverOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverOf(e.X)
	case *ast.IndexExpr:
		return receiverOf(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
