package read

import (
	"reflect"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/keypath"
	"coatcheck/configs/rule"
)

// decoder fills Go values from nodes, driven by the struct tags:
//
//	yaml      the key
//	default   what stands there when the file says nothing; lists with |
//	enum      the words that a text may be
//	min, max  the bounds of a number, duration or size, both included
//	required  the key must be there and not empty
//	like      an example for the hint, where a number in quotes would be wrong too
//	also      another spelling of the key
//
// It goes on after a fault, so that a person sees all of them at once; a faulty
// value keeps its default.
type decoder struct {
	sources
	file        string
	faults      []configs.Fault
	positions   map[string]configs.Position
	variables   map[string]bool
	development *developer      // nil: the file must say everything
	broken      map[string]bool // paths at which the reader found a fault
}

func (d *decoder) fault(at configs.Position, path, message, hint string) {
	if d.broken[path] { // the reader has said why there is nothing
		return
	}
	d.faults = append(d.faults, configs.Fault{File: d.file, Line: at.Line, Column: at.Column, Path: path, Message: message, Hint: hint})
}

// warning reports what works but is unwise.
func (d *decoder) warning(at configs.Position, path, message, hint string) {
	before := len(d.faults)
	if d.fault(at, path, message, hint); len(d.faults) > before {
		d.faults[before].Warning = true
	}
}

// field is one value to be decoded: where it stands, what it is called, its tags.
type field struct {
	path string
	at   configs.Position
	tag  reflect.StructTag
}

// decode fills into, which holds its default already.
func (d *decoder) decode(f field, n *node, into reflect.Value) {
	d.positions[f.path] = f.at
	if d.own(f, n, into.Addr().Interface()) {
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		d.section(f, n, into)
	case reflect.Pointer:
		d.pointer(f, n, into)
	case reflect.Slice:
		d.slice(f, n, into)
	case reflect.Map:
		d.dictionary(f, n, into)
	case reflect.String:
		d.word(f, n, into)
	case reflect.Bool:
		d.truth(f, n, into)
	case reflect.Int:
		d.number(f, n, into)
	}
}

// mismatch reports a value of the wrong kind.
func (d *decoder) mismatch(f field, n *node, wanted kind, hint string) {
	if name, lone := loneName(n); lone {
		hint = "{" + name + "} is a mapping in YAML: for a placeholder write \"{" + name + "}\""
	}
	d.fault(f.at, f.path, "expected "+wanted.String()+", got "+n.kind.given(), hint)
}

// section fills a struct from a mapping; an empty section ("admin:") keeps its defaults.
func (d *decoder) section(f field, n *node, into reflect.Value) {
	if n.kind == nothing {
		n = &node{kind: table}
	}
	if n.kind != table {
		d.mismatch(f, n, table, "")
		return
	}
	keys := fieldsOf(into.Type())
	for _, e := range n.entries {
		inner, known := keys[e.key]
		if !known {
			d.unknown(f.path, e, keys)
			continue
		}
		key := inner.Tag.Get("yaml")
		if key != e.key && n.find(key) != nil {
			d.fault(e.at, keypath.Child(f.path, e.key), "the same key as "+key+", which is there", "one of the two")
			continue
		}
		d.decode(field{keypath.Child(f.path, key), e.place(), inner.Tag}, e.value, into.FieldByIndex(inner.Index))
	}
	d.missing(f, n, into.Type())
}

func (d *decoder) unknown(path string, e entry, keys map[string]reflect.StructField) {
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	hint := rule.Suggest(e.key, names)
	if e.key == "fields" && strings.HasSuffix(path, ".login") {
		hint = "frontends.*.login.fields says what a page posts"
	}
	d.fault(e.at, keypath.Child(path, e.key), "unknown key", hint)
}

func (d *decoder) missing(f field, n *node, t reflect.Type) {
	for _, inner := range reflect.VisibleFields(t) {
		key := inner.Tag.Get("yaml")
		if inner.Tag.Get("required") == "true" && n.find(key) == nil {
			d.fault(f.at, keypath.Child(f.path, key), "required key missing", describe(inner))
		}
	}
}

// describe says in a hint what a missing key should hold.
func describe(f reflect.StructField) string {
	key, like := f.Tag.Get("yaml"), f.Tag.Get("like")
	if like != "" {
		return key + ": " + like
	}
	if example := examples[key]; example != "" {
		return example
	}
	switch t := f.Type; t.Kind() {
	case reflect.Map, reflect.Struct, reflect.Pointer:
		if t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
			return "a mapping"
		}
	case reflect.Slice:
		return "a list"
	}
	return ""
}

// pointer fills what is optional: the value is made, with its defaults, when the file names it.
func (d *decoder) pointer(f field, n *node, into reflect.Value) {
	value := reflect.New(into.Type().Elem())
	prefill(value.Elem())
	if n.kind == nothing && value.Elem().Kind() == reflect.Struct && !mayBeNull(value.Interface()) {
		d.mismatch(f, n, table, "give it its keys, or remove it")
		return
	}
	d.decode(f, n, value.Elem())
	into.Set(value)
}

// slice fills a list. Its default, if any, is replaced as a whole.
func (d *decoder) slice(f field, n *node, into reflect.Value) {
	switch n.kind {
	case nothing:
		if f.tag.Get("required") == "true" {
			d.fault(f.at, f.path, "empty list", "")
		}
		return
	case list:
	default:
		d.mismatch(f, n, list, "[a, b], or one \"- a\" on each line")
		return
	}
	if len(n.items) == 0 && f.tag.Get("required") == "true" {
		d.fault(f.at, f.path, "empty list", "")
	}
	values := reflect.MakeSlice(into.Type(), len(n.items), len(n.items))
	for i, each := range n.items {
		prefill(values.Index(i))
		d.decode(field{keypath.Item(f.path, i), d.itemPlace(f, each), f.tag}, each, values.Index(i))
		d.whole(values.Index(i))
	}
	into.Set(values)
}

// whole puts an empty value where a fault left a nil pointer: nobody shall meet
// one in a list.
func (d *decoder) whole(v reflect.Value) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
		prefill(v.Elem())
	}
}

func (d *decoder) itemPlace(f field, n *node) configs.Position {
	if n.at.Line == 0 {
		return f.at
	}
	return n.at
}

// dictionary fills a map whose keys are names of the operator's.
func (d *decoder) dictionary(f field, n *node, into reflect.Value) {
	if n.kind == nothing && f.tag.Get("required") != "true" {
		return
	}
	if n.kind != table {
		d.mismatch(f, n, table, "")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, e := range n.entries {
		value := reflect.New(into.Type().Elem()).Elem()
		prefill(value)
		d.decode(field{keypath.Child(f.path, e.key), e.place(), ""}, e.value, value)
		if value.Kind() == reflect.Pointer && value.IsNil() {
			continue // a fault was reported; nobody shall meet a nil in a map
		}
		into.SetMapIndex(reflect.ValueOf(e.key), value)
	}
}

// fieldsOf lists the keys of a struct and the fields they lead to. An embedded section
// has no key: its fields' keys stand among the struct's own.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	keys := make(map[string]reflect.StructField, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		if key := f.Tag.Get("yaml"); key != "" && key != "-" {
			keys[key] = f
			if also := f.Tag.Get("also"); also != "" {
				keys[also] = f
			}
		}
	}
	return keys
}
