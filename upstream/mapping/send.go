package mapping

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
)

// Header is one header, or one query parameter, with {names} to be put in.
type Header struct {
	// Name is as written.
	Name string
	// Value is what follows it.
	Value Template
}

// Headers is a list of headers.
type Headers []Header

// SortHeaders lists headers in the order of their names.
func SortHeaders(from map[string]Template) Headers {
	var list Headers
	for _, name := range slices.Sorted(maps.Keys(from)) {
		list = append(list, Header{name, from[name]})
	}
	return list
}

// Bearer is what carries a person where a mapping says nothing else: Authorization:
// Bearer {access_token} (RFC 6750 §2.1).
func Bearer() map[string]Template {
	return map[string]Template{"Authorization": NewTemplate("Bearer {" + credential.AccessToken + "}")}
}

// Constant are the headers without a {name}.
func (l Headers) Constant() Headers {
	return slices.DeleteFunc(slices.Clone(l), func(h Header) bool { return !h.Value.IsConstant() })
}

// Without are the headers that do not put the value called name.
func (l Headers) Without(name string) Headers {
	return slices.DeleteFunc(slices.Clone(l), func(h Header) bool { return slices.Contains(h.Value.Names(), name) })
}

// ValueNames are the {names} of all headers, repetitions included.
func (l Headers) ValueNames() []string {
	var names []string
	for _, h := range l {
		names = append(names, h.Value.Names()...)
	}
	return names
}

// LowerNames are the names of the headers in lower case, sorted, each once.
func (l Headers) LowerNames() []string {
	var names []string
	for _, h := range l {
		names = append(names, strings.ToLower(h.Name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Append appends the lines of the headers that carry the person of c, "Name: value"
// and CRLF each. A line of which a {name} has no value is left out; so without a
// credential only the constant ones are there, and those of the caller. It allocates
// nothing but room in dst.
func (l Headers) Append(dst []byte, c *credential.Credential, who Caller) []byte {
	from := &Values{Credential: c, Caller: who, calling: true}
	for i := range l {
		start := len(dst)
		dst = append(append(dst, l[i].Name...), ": "...)
		var err error
		if dst, err = l[i].Value.appendTo(dst, from, putExtracted); err != nil {
			dst = dst[:start]
			continue
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// putExtracted puts a value of a credential. It was tested when it was extracted; it is
// tested again because the mapping may have changed since. What is built in is
// printable, and may have spaces.
func putExtracted(dst []byte, v value) ([]byte, bool) {
	start := len(dst)
	dst, ok := v.appendText(dst)
	if !v.fromAPI {
		return dst, ok && isFieldText(dst[start:])
	}
	return dst, ok && IsCredentialText(dst[start:])
}
