package read

import (
	"reflect"
	"strings"
	"time"

	"coatcheck/configs"
)

// callerDecoder decodes the notations of callers.
type callerDecoder struct{ *decoder }

// callerValue decodes the types of callers that have a notation of their own.
func (d callerDecoder) callerValue(f field, n *node, into any) bool {
	switch into := into.(type) {
	case *configs.Signatures:
		d.signatures(f, n, into)
	case *configs.From:
		d.from(f, n, into)
	case *configs.CallPlace:
		d.callPlace(f, n, into)
	case *configs.Fresh:
		d.fresh(f, n, into)
	case *configs.SignedText:
		if value, ok := d.plainBraces(f, n); ok {
			*into = configs.SignedText(value)
		}
	case *configs.Accepted:
		d.accepted(f, n, into)
	default:
		return false
	}
	return true
}

// signatures decodes one way to sign, or a list of them.
func (d callerDecoder) signatures(f field, n *node, into *configs.Signatures) {
	if n.kind == list {
		d.slice(f, n, reflect.ValueOf(into).Elem())
		return
	}
	one := new(configs.Signature)
	prefill(reflect.ValueOf(one).Elem())
	d.section(f, n, reflect.ValueOf(one).Elem())
	if n.kind == table {
		*into = configs.Signatures{one}
	}
}

// from decodes bearer, basic, {header: NAME} or {query: NAME}.
func (d callerDecoder) from(f field, n *node, into *configs.From) {
	if n.kind == table {
		d.section(f, n, reflect.ValueOf(into).Elem())
		if (into.Header == "") == (into.Query == "") {
			d.fault(f.at, f.path, "one of header and query, with a name", "{header: X-Api-Key}")
		}
		return
	}
	value, expanded, ok := d.text(f, n)
	if !ok {
		return
	}
	switch value {
	case "bearer":
		into.Bearer = true
	case "basic":
		into.Basic = true
	default:
		d.fault(f.at, f.path, shown(value, expanded)+" is not a place where keys are read", "bearer, basic, {header: X-Api-Key}, {query: api_key}")
	}
}

// callPlace decodes a pointer written as text, or a mapping.
func (d callerDecoder) callPlace(f field, n *node, into *configs.CallPlace) {
	if n.kind == text {
		if value, _, ok := d.text(f, n); ok {
			into.Pointer = &value
		}
		return
	}
	if n.kind != table {
		d.mismatch(f, n, text, "/id, {header: X-Id}, {query: id}, {form: id}, {basic: password} or {claim: jti}")
		return
	}
	d.section(f, n, reflect.ValueOf(into).Elem())
}

// fresh decodes a duration, or a mapping with its unit.
func (d callerDecoder) fresh(f field, n *node, into *configs.Fresh) {
	if n.kind == table {
		d.section(f, n, reflect.ValueOf(into).Elem())
		return
	}
	within, _ := reflect.TypeFor[configs.Fresh]().FieldByName("Within")
	f.tag = within.Tag
	var value time.Duration
	parsed(d.decoder, f, n, &value, parseDuration)
	if value > 0 {
		into.Within = value
	}
}

// plainBraces expands a text so that braces in a variable's value are plain: "{{" is one
// that opens nothing.
func (d *decoder) plainBraces(f field, n *node) (string, bool) {
	plain := d.sources
	getenv, readFile := plain.getenv, plain.readFile
	plain.getenv = func(name string) (string, bool) {
		value, ok := getenv(name)
		return strings.ReplaceAll(value, "{", "{{"), ok
	}
	if readFile != nil {
		plain.readFile = func(name string) ([]byte, error) {
			content, err := readFile(name)
			return []byte(strings.ReplaceAll(string(content), "{", "{{")), err
		}
	}
	escaped := *d
	escaped.sources, escaped.faults = plain, nil
	value, _, ok := escaped.text(f, n)
	d.faults = append(d.faults, escaped.faults...)
	return value, ok
}

// accepted decodes what a place is held against.
func (d callerDecoder) accepted(f field, n *node, into *configs.Accepted) {
	into.Values = append(into.Values, d.compared(f, n, d.plainBraces)...)
}
