package mapping

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
)

// Send is what carries a person on requests to an API. Its zero value carries nobody.
type Send struct {
	// Headers, but for Sec-WebSocket-Protocol.
	Headers Headers
	// Query are parameters of the query, each in place of the browser's of that name.
	Query Headers
	// Cookies make one Cookie line.
	Cookies Headers
	// Protocols are offered on WebSockets, behind those of the page.
	Protocols []Template
	// Message is laid over the first message of a WebSocket; nil: it goes on as it came.
	Message *Message
}

// NewSend makes a Send of what a file says. headers may name Sec-WebSocket-Protocol: it
// is a list of protocols.
func NewSend(headers, query, cookies map[string]Template, message Body) Send {
	s := Send{Query: SortHeaders(query), Cookies: SortHeaders(cookies), Message: newMessage(message)}
	for _, h := range SortHeaders(headers) {
		if strings.EqualFold(h.Name, Protocol) {
			s.Protocols = append(s.Protocols, listMembers(h.Value)...)
			continue
		}
		s.Headers = append(s.Headers, h)
	}
	return s
}

// Constant is what of s has no {name}, for requests on which nobody is signed in yet.
func (s Send) Constant() Send {
	return Send{Headers: s.Headers.Constant(), Query: s.Query.Constant(), Cookies: s.Cookies.Constant()}
}

// ValueNames are the {names} of all that is put, repetitions included.
func (s Send) ValueNames() []string {
	names := slices.Concat(s.Headers.ValueNames(), s.Query.ValueNames(), s.Cookies.ValueNames(), s.Message.valueNames())
	for _, t := range s.Protocols {
		names = append(names, t.Names()...)
	}
	return names
}

// Header is one header, query parameter or cookie, with {names} to be put in.
type Header struct {
	// Name is as written.
	Name string
	// Value is what follows it.
	Value Template
}

// Headers is a list of headers, query parameters or cookies.
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
	from := onCall(c, who)
	for i := range l {
		start := len(dst)
		dst = append(append(dst, l[i].Name...), ": "...)
		var err error
		if dst, err = l[i].Value.appendTo(dst, &from, putExtracted); err != nil {
			dst = dst[:start]
			continue
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// onCall are the values that go out with a call.
func onCall(c *credential.Credential, who Caller) Values {
	return Values{Credential: c, Caller: who, calling: true}
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
