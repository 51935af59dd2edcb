package mapping

import (
	"bytes"
	"net/url"

	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
)

// Unnamed are those that a request does not name itself.
func (l Headers) Unnamed(own map[string]Template) Headers {
	var list Headers
	for _, h := range l {
		if _, named := own[h.Name]; !named {
			list = append(list, h)
		}
	}
	return list
}

// AppendQuery appends a query, its "?" in front, as it goes to the API: what the browser
// sent without the parameters that s puts, then those. One of which a {name} has no value
// is left out, and the browser's stays away all the same.
func (s *Send) AppendQuery(dst, query []byte, c *credential.Credential, who Caller) []byte {
	if len(s.Query) == 0 {
		return append(dst, query...)
	}
	start, separator := len(dst), byte('?')
	if dst = s.AppendOthers(dst, query); len(dst) > start {
		separator = '&'
	}
	from := onCall(c, who)
	for _, p := range s.Query {
		filled, err := p.Value.appendTo(nil, &from, putQuery)
		if err != nil {
			continue
		}
		dst = append(append(dst, separator), url.QueryEscape(p.Name)+"="+url.QueryEscape(string(filled))...)
		separator = '&'
	}
	return dst
}

// AppendOthers appends a query, its "?" in front, without the parameters that s puts; what
// is left stands byte for byte. A query of which nothing is left loses its "?".
//
// APIs differ in how they read names, so all that one of them could take for the name go:
// in any case, with ";" between parameters, as name[] and name[x], and with what PHP
// makes a "_" of.
func (s *Send) AppendOthers(dst, query []byte) []byte {
	rest, had := bytes.CutPrefix(query, []byte{'?'})
	if len(s.Query) == 0 {
		return append(dst, query...)
	}
	if !had || len(rest) == 0 {
		return dst
	}
	start, separator := len(dst), byte('?')
	for {
		end, next := bytes.IndexAny(rest, "&;"), []byte(nil)
		parameter := rest
		if end >= 0 {
			parameter, next = rest[:end], rest[end+1:]
		}
		if !s.puts(parameter) {
			dst = append(append(dst, separator), parameter...)
			separator = '&'
			if end >= 0 {
				separator = rest[end]
			}
		}
		switch {
		case end < 0 && len(dst) == start+1:
			return dst[:start] // the mark alone
		case end < 0:
			return dst
		}
		rest = next
	}
}

// puts reports whether s puts a parameter of the name that this one has.
func (s *Send) puts(parameter []byte) bool {
	name, _, _ := bytes.Cut(parameter, []byte{'='})
	var room, other [64]byte
	folded := foldParameter(room[:0], name)
	for _, p := range s.Query {
		if bytes.Equal(folded, foldText(other[:0], p.Name)) {
			return true
		}
	}
	return false
}

// foldParameter appends the name of a parameter in the one form in which names are
// compared: decoded once, in lower case, without what stands in brackets, and with "_" for
// what PHP reads so.
func foldParameter(dst, name []byte) []byte {
	start := len(dst)
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '%' && i+2 < len(name) {
			hi, lo := http1.HexValue(name[i+1]), http1.HexValue(name[i+2])
			if hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		switch {
		case c == '[' && len(dst) > start, c == 0:
			return dst
		case (c == ' ' || c == '+' || c == '\t') && len(dst) == start:
			continue
		}
		dst = append(dst, foldByte(c))
	}
	return dst
}

func foldText(dst []byte, name string) []byte {
	for i := range len(name) {
		dst = append(dst, foldByte(name[i]))
	}
	return dst
}

func foldByte(c byte) byte {
	switch c {
	case ' ', '+', '.', '[':
		return '_'
	}
	return http1.Lower(c)
}
