package main

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// exported looks for exported names that no comment explains.
type exported struct {
	files    *token.FileSet
	seen     int
	bare     map[string][]token.Pos // methods, by name
	promised map[string]bool        // methods that an interface of ours explains
	missing  []token.Pos
}

// TestExportedNamesAreExplained: each exported type, function, method, constant and variable
// outside of tests has a docstring. A method that an interface of ours explains, or that is
// error's, needs none.
func TestExportedNamesAreExplained(t *testing.T) {
	x := &exported{files: token.NewFileSet(), bare: map[string][]token.Pos{}, promised: map[string]bool{"Error": true}}
	eachGoFile(t, x.files, func(path string, f *ast.File) {
		if !strings.HasSuffix(path, "_test.go") && f.Name.Name != "main" {
			x.file(f)
		}
	})
	for name, places := range x.bare {
		if !x.promised[name] {
			x.missing = append(x.missing, places...)
		}
	}
	for _, pos := range x.missing {
		t.Errorf("%s: an exported name without a docstring", x.files.Position(pos))
	}
	if x.seen < 800 {
		t.Errorf("only %d exported names were seen", x.seen)
	}
}

func (x *exported) file(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			x.function(d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				x.spec(d, s)
			}
		}
	}
}

func (x *exported) function(f *ast.FuncDecl) {
	switch {
	case !f.Name.IsExported() || f.Recv != nil && !ast.IsExported(receiverOf(f.Recv.List[0].Type)):
		return
	case f.Doc == nil && f.Recv != nil:
		x.bare[f.Name.Name] = append(x.bare[f.Name.Name], f.Pos())
	case f.Doc == nil:
		x.missing = append(x.missing, f.Pos())
	}
	x.seen++
}

func (x *exported) spec(d *ast.GenDecl, s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		x.name(s.Name, d.Doc, s.Doc, s.Comment)
		if i, is := s.Type.(*ast.InterfaceType); is {
			x.promises(i)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			x.name(name, d.Doc, s.Doc, s.Comment)
		}
	}
}

func (x *exported) name(name *ast.Ident, docs ...*ast.CommentGroup) {
	if !name.IsExported() {
		return
	}
	x.seen++
	for _, doc := range docs {
		if doc != nil {
			return
		}
	}
	x.missing = append(x.missing, name.Pos())
}

// promises takes down the methods that an interface explains.
func (x *exported) promises(i *ast.InterfaceType) {
	for _, m := range i.Methods.List {
		if len(m.Names) > 0 && m.Doc != nil {
			x.promised[m.Names[0].Name] = true
		}
	}
}
