package read

import (
	"fmt"
	"reflect"

	"coatcheck/configs/keypath"
	"coatcheck/upstream/mapping"
)

// mappingDecoder decodes the notations of the mapping language.
type mappingDecoder struct{ *decoder }

// template decodes text with {names}; numbers and booleans stand as they are written.
func (d mappingDecoder) template(f field, n *node, into *mapping.Template) {
	value := n.written
	if n.kind != integer && n.kind != float && n.kind != boolean {
		var ok bool
		if value, ok = d.guarded(f, n, names); !ok {
			return
		}
	}
	*into = mapping.NewTemplate(value)
}

// guarded expands a text so that no variable's value is read as a placeholder: a secret
// that holds {email} must not fetch the person's e-mail. One that a brace of the file's
// would make a placeholder is refused.
func (d mappingDecoder) guarded(f field, n *node, names func(string) []string) (string, bool) {
	value, ok := d.plainBraces(f, n)
	if ok && len(names(value)) != len(names(inert(n.written))) {
		d.fault(f.at, f.path, "with the variable's value, a brace in front of it becomes a placeholder", "{{ is a brace that opens nothing")
		return "", false
	}
	return value, ok
}

// inert is text with every variable replaced by what no name holds.
func inert(text string) string {
	const nothing = "\x01"
	blank := sources{
		getenv:   func(string) (string, bool) { return nothing, true },
		readFile: func(string) ([]byte, error) { return []byte(nothing), nil },
	}
	text, _, _ = blank.expand(text)
	return text
}

// body decodes a request body: any tree of JSON's types.
func (d mappingDecoder) body(f field, n *node, into *mapping.Body) {
	if n.kind == nothing {
		return
	}
	if n.kind != table && n.kind != list {
		d.mismatch(f, n, table, "")
		return
	}
	value := d.tree(f, n)
	*into = mapping.NewBody(value)
}

func (d mappingDecoder) tree(f field, n *node) any {
	d.positions[f.path] = f.at
	switch n.kind {
	case nothing:
		return nil
	case text:
		value, _ := d.guarded(f, n, wholeName)
		return value
	case list:
		values := make([]any, len(n.items))
		for i, each := range n.items {
			values[i] = d.tree(field{path: keypath.Item(f.path, i), at: d.itemPlace(f, each)}, each)
		}
		return values
	case table:
		if name, lone := loneName(n); lone {
			d.fault(f.at, f.path, "{"+name+"} is a mapping in YAML, not a placeholder: write \"{"+name+"}\"", "")
			return nil
		}
		values := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			values[e.key] = d.tree(field{path: keypath.Child(f.path, e.key), at: e.place()}, e.value)
		}
		return values
	}
	return scalarAsWritten(d.decoder, f, n, "sent")
}

// scalarAsWritten is a scalar that is no text, as the file has it.
func scalarAsWritten(d *decoder, f field, n *node, what string) any {
	if number := misread(n); number != "" {
		d.warning(f.at, f.path, "written without quotes this is the number "+number+" in YAML; it is "+what+" as it is written", quoted(n)+", or "+number)
		return asWritten(n)
	}
	return n.scalar
}

// quoted is a hint: the number as it is written, as text.
func quoted(n *node) string { return "\"" + n.written + "\"" }

// names are the {names} in a text.
func names(text string) []string { return mapping.NewTemplate(text).Names() }

// wholeName is the one {name} that a text of a body is, if it is one.
func wholeName(text string) []string {
	if name, ok := mapping.NewTemplate(text).Whole(); ok {
		return []string{name}
	}
	return nil
}

// match decodes what an answer is held against: a scalar, null, or a list of them.
func (d mappingDecoder) match(f field, n *node, into *mapping.Match) {
	into.Values = append(into.Values, d.compared(f, n, func(at field, n *node) (string, bool) {
		value, _, ok := d.text(at, n)
		return value, ok
	})...)
}

// compared decodes a scalar, null, or a list of them; read decodes what is text.
func (d *decoder) compared(f field, n *node, read func(field, *node) (string, bool)) (values []any) {
	items := []*node{n}
	if n.kind == list {
		items = n.items
	}
	if len(items) == 0 {
		d.fault(f.at, f.path, "an empty list matches nothing", "")
	}
	for i, each := range items {
		switch at := f; each.kind {
		case list, table:
			d.fault(f.at, f.path, "only strings, numbers, true, false and null can be compared", "")
		case text:
			if n.kind == list {
				at = field{path: keypath.Item(f.path, i), at: d.itemPlace(f, each)}
			}
			if value, ok := read(at, each); ok {
				values = append(values, value)
			}
		case nothing:
			values = append(values, nil)
		default:
			values = append(values, scalarAsWritten(d, field{path: f.path, at: each.at}, each, "compared"))
		}
	}
	return values
}

// takenFrom decodes a place: a pointer written as text, or a mapping with one of at, header and cookie.
func (d mappingDecoder) takenFrom(f field, n *node, into *mapping.Place) {
	if n.kind == text {
		if value, _, ok := d.text(f, n); ok {
			if name, whole := mapping.NewTemplate(value).Whole(); whole {
				into.Name = name
			} else {
				into.Pointer = value
			}
		}
		return
	}
	if n.kind != table {
		d.mismatch(f, n, text, "/token, {header: X-Token}, {cookie: sid}, or \"\" for the whole body")
		return
	}
	d.section(f, n, reflect.ValueOf(into).Elem())
	named := 0
	for _, key := range []string{"at", "header", "cookie"} {
		if n.find(key) != nil {
			named++
		}
	}
	if named != 1 {
		d.fault(f.at, f.path, fmt.Sprintf("a place has exactly one of at, header and cookie, this one has %d", named), "")
	}
	for _, key := range []string{"header", "cookie"} {
		if v := n.find(key); v != nil && v.kind == text && v.written == "" {
			d.fault(f.at, keypath.Child(f.path, key), "must not be empty", "the whole body is at: \"\"")
		}
	}
}
