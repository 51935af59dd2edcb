package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/configs/check/checker"
	"coatcheck/upstream/mapping"
)

// headers checks headers that a mapping puts.
func (ck mappingCheck) headers(path string, headers map[string]mapping.Template) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		at, lower := child(path, name), strings.ToLower(name)
		switch {
		case !http1.IsToken([]byte(name)):
			ck.Refuse(at, "not a valid header name", "")
		case checker.IsOwnHeader(name):
			ck.Refuse(at, "Coatcheck sets this header itself", "")
		case seen[lower]:
			ck.Refuse(at, "duplicate header: header names are not case-sensitive", "")
		case strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			ck.Refuse(at, "a header's value holds no line break or control character", "")
		}
		seen[lower] = true
	}
}
