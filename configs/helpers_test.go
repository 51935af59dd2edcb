package configs_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
)

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

// sections lists every struct of the configuration by name.
func sections() map[string]reflect.Type {
	found := map[string]reflect.Type{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
		case reflect.Struct:
			if !isOurs(t) || found[t.Name()] != nil {
				return
			}
			found[t.Name()] = t
			for i := range t.NumField() {
				visit(t.Field(i).Type)
			}
		}
	}
	visit(reflect.TypeFor[configs.Config]())
	return found
}

// isSection reports whether a type has keys of its own.
func isSection(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[mapping.Template](), reflect.TypeFor[mapping.Body](), reflect.TypeFor[mapping.Match]():
		return false
	}
	return t.Kind() == reflect.Struct && isOurs(t)
}

// isOurs reports whether a type is one of a configuration's.
func isOurs(t reflect.Type) bool {
	return t.PkgPath() == "coatcheck/configs" || t.PkgPath() == "coatcheck/upstream/mapping"
}
