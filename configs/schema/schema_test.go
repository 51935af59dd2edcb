package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

var update = flag.Bool("update", false, "write coatcheck.schema.json anew from the Go types")

const schemaFile = "coatcheck.schema.json"

func TestSchemaIsUpToDate(t *testing.T) {
	got := generate(t)
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, configs.Schema()) {
		t.Errorf("%s is older than the Go types: run `go generate ./configs`", schemaFile)
	}
}

// generate makes the schema of the Go types: their comments, and the tags that
// the decoder reads too.
func generate(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true,
		Anonymous: true, Mapper: notation,
	}
	for _, folder := range []string{".", "../upstream/mapping"} {
		if err := r.AddGoComments("coatcheck/configs", folder); err != nil {
			t.Fatal(err)
		}
	}
	s := r.Reflect(configs.Config{})
	s.Title = "Coatcheck configuration"
	place(r, s)
	formOrProvider(s.Definitions["FrontendLogin"])
	callPlace(s)
	signatures(s)
	s.Definitions["From"] = from(s.Definitions["From"])
	s.Definitions["Fresh"] = fresh(s.Definitions["Fresh"])
	s.Definitions["Variable"] = &jsonschema.Schema{Type: "string", Pattern: `\$\{`,
		Description: "${NAME}, ${NAME:-text} or ${file:PATH}"}
	decorate(s, reflect.TypeFor[configs.Config]())
	for name, definition := range s.Definitions {
		if t := sections()[name]; t != nil {
			decorate(definition, t)
		}
	}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

var variable = &jsonschema.Schema{Ref: "#/$defs/Variable"}

func either(schemas ...*jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: schemas}
}

// notation is the schema of the types that have a notation of their own. Where
// no text stands by itself, a variable may stand.
func notation(t reflect.Type) *jsonschema.Schema {
	text := func(pattern string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern}
	}
	number := &jsonschema.Schema{Type: "integer", Minimum: "0"}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return either(text(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`), &jsonschema.Schema{Const: 0}, variable)
	case reflect.TypeFor[configs.Size]():
		return either(number, text(`^[0-9]+([KMGT]iB|B)?$`), variable)
	case reflect.TypeFor[netip.Prefix](), reflect.TypeFor[credential.Secret]():
		return text("")
	case reflect.TypeFor[mapping.Template]():
		return either(text(""), &jsonschema.Schema{Type: "number"}, &jsonschema.Schema{Type: "boolean"})
	case reflect.TypeFor[mapping.Body]():
		return either(&jsonschema.Schema{Type: "object"}, &jsonschema.Schema{Type: "array"})
	case reflect.TypeFor[mapping.Match](), reflect.TypeFor[configs.Accepted]():
		return match(text(""))
	case reflect.TypeFor[configs.LiveFile]():
		return text(`^\$\{file:[^{}]+\}$`)
	case reflect.TypeFor[configs.Persistence]():
		return either(&jsonschema.Schema{Type: "boolean"}, variable,
			&jsonschema.Schema{Type: "string", Pattern: `^[A-Za-z_][A-Za-z0-9_-]*$`, Not: &jsonschema.Schema{Enum: []any{"true", "false", "yes", "no", "on", "off"}}})
	case reflect.TypeFor[configs.Names]():
		return either(text(""), &jsonschema.Schema{Type: "array", Items: text("")})
	}
	switch t.Kind() {
	case reflect.Bool:
		return either(&jsonschema.Schema{Type: "boolean"}, variable)
	case reflect.Int:
		return either(&jsonschema.Schema{Type: "integer"}, variable)
	}
	return nil
}

func match(text *jsonschema.Schema) *jsonschema.Schema {
	scalars := []*jsonschema.Schema{text, {Type: "number"}, {Type: "boolean"}, {Type: "null"}}
	list := &jsonschema.Schema{Type: "array", Items: either(scalars...), MinItems: ptr(1)}
	return either(append(scalars, list)...)
}

func ptr(n uint64) *uint64 { return &n }

// place replaces the definition of Place: a pointer as text, or a mapping with
// exactly one of at, header and cookie.
func place(r *jsonschema.Reflector, s *jsonschema.Schema) {
	object := s.Definitions["Place"]
	decorate(object, reflect.TypeFor[mapping.Place]())
	for _, key := range []string{"at", "header", "cookie"} {
		object.OneOf = append(object.OneOf, &jsonschema.Schema{Required: []string{key}})
	}
	pointer := &jsonschema.Schema{Type: "string", Pattern: `^$|^/|\$\{`}
	s.Definitions["Place"] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{pointer, object}, Description: object.Description}
	object.Description = ""
}

// formOrProvider: people sign in with a form, at a provider, or either.
func formOrProvider(login *jsonschema.Schema) {
	form := jsonschema.NewProperties()
	form.Set("fields", &jsonschema.Schema{MinItems: ptr(1)})
	login.AnyOf = []*jsonschema.Schema{{Required: []string{"fields"}, Properties: form}, {Required: []string{"provider"}}}
}

// callPlace is place for what is taken out of calls.
func callPlace(s *jsonschema.Schema) {
	object := s.Definitions["CallPlace"]
	decorate(object, reflect.TypeFor[configs.CallPlace]())
	for _, key := range []string{"at", "header", "query", "form", "basic", "claim"} {
		object.OneOf = append(object.OneOf, &jsonschema.Schema{Required: []string{key}})
	}
	pointer := &jsonschema.Schema{Type: "string", Pattern: `^$|^/|\$\{`}
	s.Definitions["CallPlace"] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{pointer, object}, Description: object.Description}
	object.Description = ""
}

// signatures is one way to sign, or a list of them.
func signatures(s *jsonschema.Schema) {
	property, _ := s.Definitions["Caller"].Properties.Get("signature")
	one := &jsonschema.Schema{Ref: "#/$defs/Signature"}
	list := &jsonschema.Schema{Type: "array", Items: one, MinItems: ptr(1)}
	delete(s.Definitions, "Signatures")
	*property = jsonschema.Schema{AnyOf: []*jsonschema.Schema{one, list}, Description: property.Description}
}

// from is a word, or a mapping with exactly one key.
func from(object *jsonschema.Schema) *jsonschema.Schema {
	for _, key := range []string{"header", "query"} {
		object.OneOf = append(object.OneOf, &jsonschema.Schema{Required: []string{key}})
	}
	return either(&jsonschema.Schema{Enum: []any{"bearer", "basic"}}, object, variable)
}

// fresh is a duration, or a mapping.
func fresh(object *jsonschema.Schema) *jsonschema.Schema {
	decorate(object, reflect.TypeFor[configs.Fresh]())
	return either(notation(reflect.TypeFor[time.Duration]()), object)
}

// decorate adds what the tags say.
func decorate(s *jsonschema.Schema, t reflect.Type) {
	if s.Properties == nil {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		property, ok := s.Properties.Get(f.Tag.Get("yaml"))
		if !ok {
			continue
		}
		if f.Tag.Get("required") == "true" {
			s.Required = append(s.Required, f.Tag.Get("yaml"))
		}
		tagged(property, f)
		if also := f.Tag.Get("also"); also != "" {
			s.Properties.Set(also, property)
		}
	}
}

func tagged(property *jsonschema.Schema, f reflect.StructField) {
	if words := f.Tag.Get("enum"); words != "" {
		list := &jsonschema.Schema{}
		for word := range strings.SplitSeq(words, "|") {
			list.Enum = append(list.Enum, word)
		}
		property.Type, property.AnyOf = "", []*jsonschema.Schema{list, variable}
	}
	if preset, ok := f.Tag.Lookup("default"); ok {
		property.Default = literal(f.Type, preset)
	}
	target := property
	if f.Type.Kind() == reflect.Slice && f.Tag.Get("required") == "true" {
		property.MinItems = ptr(1)
	}
	if property.Items != nil {
		target = property.Items
	}
	for _, each := range target.AnyOf {
		if each.Type == "integer" && f.Type != reflect.TypeFor[configs.Size]() && f.Tag.Get("max") != "" {
			each.Minimum, each.Maximum = json.Number(f.Tag.Get("min")), json.Number(f.Tag.Get("max"))
		}
	}
	if f.Type.Kind() == reflect.String && f.Tag.Get("required") == "true" || f.Type == reflect.TypeFor[credential.Secret]() && f.Tag.Get("required") == "true" {
		property.MinLength = ptr(1)
	}
}

// literal is a tag's default as JSON has it.
func literal(t reflect.Type, preset string) any {
	switch {
	case t == reflect.TypeFor[time.Duration](), t == reflect.TypeFor[configs.Size](), t.Kind() == reflect.String:
		return preset
	case t.Kind() == reflect.Slice:
		var list []any
		for word := range strings.SplitSeq(preset, "|") {
			list = append(list, literal(t.Elem(), word))
		}
		return list
	}
	var value any
	if err := json.Unmarshal([]byte(preset), &value); err != nil {
		return preset
	}
	return value
}
