package server

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/routing"

	"github.com/goccy/go-yaml"
)

// openAPI is the part of the document that is compared here.
type openAPI struct {
	Paths      map[string]map[string]any
	Components struct {
		Schemas map[string]struct{ Enum []string }
	}
}

// TestOpenAPIEndpoints: the document has the endpoints of the table and their
// methods, and no other.
func TestOpenAPIEndpoints(t *testing.T) {
	var told []string
	for path, methods := range readOpenAPI(t).Paths {
		for method := range methods {
			told = append(told, strings.ToUpper(method)+" "+path)
		}
	}
	var made []string
	for _, e := range routing.Endpoints() {
		path := e.Path
		if strings.HasSuffix(path, "/") {
			path += "{id}"
		}
		for _, method := range e.Methods {
			made = append(made, method+" "+path)
		}
	}
	slices.Sort(told)
	slices.Sort(made)
	if !slices.Equal(told, made) {
		t.Errorf("the document tells\n%q\nthe table\n%q", told, made)
	}
}

// TestOpenAPICodes: the document and docs/errors.md have the codes of the program,
// with their statuses, and no other.
func TestOpenAPICodes(t *testing.T) {
	made := map[string]string{} // code: status
	for name, pattern := range map[string]string{
		"../problem/problem.go": `define\((\d{3}), "(\w+)"`,
		"../gate/answer.go":     `fix\(http\.Status(\w+), "(\w+)"`,
	} {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, name), -1) {
			made[m[2]] = statusNumber(m[1])
		}
	}
	delete(made, "browser_left") // 499: nobody reads it
	codes := slices.Sorted(maps.Keys(made))
	told := slices.Sorted(slices.Values(readOpenAPI(t).Components.Schemas["Code"].Enum))
	if len(codes) < 30 || !slices.Equal(codes, told) {
		t.Errorf("openapi.yaml tells\n%q\nthe program\n%q", told, codes)
	}
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\| (\\d{3}) \\|").FindAllStringSubmatch(read(t, "../../docs/errors.md"), -1) {
		for _, code := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			listed[code[1]] = row[2]
		}
	}
	if !maps.Equal(listed, made) {
		t.Errorf("docs/errors.md tells\n%v\nthe program\n%v", listed, made)
	}
}

// statusNumber turns the gate's names of statuses into numbers.
func statusNumber(s string) string {
	switch s {
	case "BadRequest":
		return "400"
	case "MethodNotAllowed":
		return "405"
	case "RequestTimeout":
		return "408"
	case "ExpectationFailed":
		return "417"
	case "RequestHeaderFieldsTooLarge":
		return "431"
	}
	return s
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	var doc openAPI
	if err := yaml.Unmarshal([]byte(read(t, "../../configs/openapi.yaml")), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}
