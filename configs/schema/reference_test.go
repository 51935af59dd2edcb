package schema_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

const referenceFile = "../docs/configuration.md"

// TestReferenceIsUpToDate: docs/configuration.md has every key with its default,
// bounds and meaning, as the decoder has them.
func TestReferenceIsUpToDate(t *testing.T) {
	const begin, end = "<!-- generated -->\n", "<!-- end -->"
	content, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("the reference has no generated part")
	}
	text := newReference(t).text()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(before+begin+text+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != text {
		t.Errorf("%s is older than the Go types: run `go generate ./configs`", referenceFile)
	}
}

// reference writes one table for each section.
type reference struct {
	t *testing.T
	b strings.Builder
	// meanings of keys by type and key, from the comments in the schema.
	meanings map[string]map[string]string
	places   map[reflect.Type][]string // where each section stands
	order    []reflect.Type
}

func newReference(t *testing.T) *reference {
	r := &reference{t: t, meanings: map[string]map[string]string{}, places: map[reflect.Type][]string{}}
	type properties map[string]struct{ Description string }
	var schema struct {
		Properties properties
		Defs       map[string]struct {
			Properties properties
			AnyOf      []struct{ Properties properties }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(configs.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	note := func(name string, all properties) {
		if r.meanings[name] == nil {
			r.meanings[name] = map[string]string{}
		}
		for key, p := range all {
			if p.Description != "" {
				r.meanings[name][key] = p.Description
			}
		}
	}
	note("Config", schema.Properties)
	for name, def := range schema.Defs {
		note(name, def.Properties)
		for _, either := range def.AnyOf {
			note(name, either.Properties)
		}
	}
	r.visit(reflect.TypeFor[configs.Config](), "")
	return r
}

// visit notes the sections in the order of the types.
func (r *reference) visit(section reflect.Type, path string) {
	if r.places[section] == nil {
		r.order = append(r.order, section)
	} else if len(r.places[section]) > 0 && (section == reflect.TypeFor[mapping.Place]() || section == reflect.TypeFor[configs.CallPlace]()) {
		return // it stands in too many places to be named
	}
	r.places[section] = append(r.places[section], path)
	if len(r.places[section]) > 1 {
		return
	}
	for _, f := range keysOf(section) {
		key := f.Tag.Get("yaml")
		inner, suffix := f.Type, ""
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map {
			switch inner.Kind() {
			case reflect.Slice:
				suffix += "[]"
			case reflect.Map:
				suffix += ".NAME"
			}
			inner = inner.Elem()
		}
		if isSection(inner) {
			r.visit(inner, strings.TrimPrefix(path+"."+key+suffix, "."))
		}
	}
}

// keysOf lists the fields that have a key, those of embedded sections among them.
func keysOf(section reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(section), func(f reflect.StructField) bool {
		return f.Anonymous || f.Tag.Get("yaml") == "-"
	})
}

func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && isOurs(t) && notation(t) == nil
}

func (r *reference) text() string {
	for _, section := range r.order {
		heading := "The whole file"
		if places := r.places[section]; section == reflect.TypeFor[mapping.Place]() {
			heading = "A place in an answer"
		} else if section == reflect.TypeFor[configs.CallPlace]() {
			heading = "A place in a call"
		} else if places[0] != "" {
			heading = "`" + strings.Join(places, "`, `") + "`"
		}
		fmt.Fprintf(&r.b, "\n## %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", heading)
		for _, f := range keysOf(section) {
			r.row(section, f)
		}
	}
	return r.b.String() + "\n"
}

func (r *reference) row(section reflect.Type, f reflect.StructField) {
	key := f.Tag.Get("yaml")
	meaning := r.meanings[section.Name()][key]
	if meaning == "" {
		r.t.Errorf("%s.%s has no comment", section.Name(), f.Name)
	}
	preset := f.Tag.Get("default")
	switch {
	case f.Tag.Get("required") == "true":
		preset = "required"
	case preset != "" && f.Type.Kind() == reflect.Slice:
		preset = "`[" + strings.ReplaceAll(preset, "|", ", ") + "]`"
	case preset != "":
		preset = "`" + preset + "`"
	}
	fmt.Fprintf(&r.b, "| `%s` | %s | %s | %s |\n", key, strings.ReplaceAll(kindOf(f.Type, f.Tag), "|", "\\|"),
		strings.ReplaceAll(preset, "|", "\\|"), strings.ReplaceAll(meaning, "|", "\\|"))
}

// kindOf says what is written there, with its bounds.
func kindOf(t reflect.Type, tag reflect.StructTag) string {
	if words := tag.Get("enum"); words != "" && t.Kind() == reflect.String {
		return "`" + strings.ReplaceAll(words, "|", "`, `") + "`"
	}
	bounds := ""
	if low, high := tag.Get("min"), tag.Get("max"); high != "" {
		bounds = ", " + low + " to " + high
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration" + bounds
	case reflect.TypeFor[configs.Size]():
		return "size" + bounds
	case reflect.TypeFor[netip.Prefix]():
		return "network (CIDR)"
	case reflect.TypeFor[credential.Secret]():
		return "text, kept secret"
	case reflect.TypeFor[mapping.Template]():
		return "text with {names}"
	case reflect.TypeFor[mapping.Body]():
		return "anything, with {names}"
	case reflect.TypeFor[mapping.Match](), reflect.TypeFor[configs.Accepted]():
		return "value, or list of values"
	case reflect.TypeFor[configs.SignedText]():
		return "text with {names}"
	case reflect.TypeFor[configs.CallPlace]():
		return "place in a call"
	case reflect.TypeFor[configs.From]():
		return "`bearer`, `basic`, section"
	case reflect.TypeFor[configs.Fresh]():
		return "duration, section"
	case reflect.TypeFor[configs.Signatures]():
		return "section, or list of sections"
	case reflect.TypeFor[mapping.Place]():
		return "place"
	case reflect.TypeFor[configs.LiveFile]():
		return "`${file:PATH}`"
	case reflect.TypeFor[configs.Persistence]():
		return "`true`, `false`, name of a field"
	case reflect.TypeFor[configs.Names]():
		return "name, or list of names"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem(), tag)
	case reflect.Slice:
		return "list: " + kindOf(t.Elem(), tag)
	case reflect.Map:
		return "mapping, NAME: " + kindOf(t.Elem(), "")
	case reflect.Struct:
		return "section"
	case reflect.Bool:
		return "`true`, `false`"
	case reflect.Int:
		return "number" + bounds
	}
	return "text"
}
