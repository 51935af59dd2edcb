package server

import (
	"slices"
	"strings"

	"coatcheck/bff/http1"
)

// encodings are the ready-made compressions that are looked for, the best first.
var encodings = []encoding{{"br", ".br"}, {"gzip", ".gz"}}

// encoding is a content coding and what the names of files end in that have it.
type encoding struct{ name, suffix string }

// accepted are the encodings that the browser takes, the one that it likes best first
// (RFC 9110 §12.5.3). What it likes less than the plain file is left out.
func (x *exchange) accepted() []encoding {
	identity := max(0, x.weight("identity", false))
	likes := func(e encoding) int { return x.weight(e.name, true) }
	list := slices.DeleteFunc(slices.Clone(encodings), func(e encoding) bool { return likes(e) <= 0 || likes(e) < identity })
	slices.SortStableFunc(list, func(a, b encoding) int { return likes(b) - likes(a) })
	return list
}

// accepts reports whether the browser takes a content coding.
func (x *exchange) accepts(coding string) bool { return x.weight(coding, true) > 0 }

// weight is what the browser says that a coding is worth to it, in thousandths; -1
// where it does not name it. "*" counts for all that it does not name, if star is set.
func (x *exchange) weight(coding string, star bool) int {
	exact, rest := -1, -1
	for i := range x.head.Fields {
		f := &x.head.Fields[i]
		if !http1.EqualFold(f.Name, "accept-encoding") {
			continue
		}
		http1.Options(f.Value, func(option []byte) {
			name, parameter, _ := strings.Cut(string(option), ";")
			switch name = strings.Trim(name, " \t"); {
			case http1.EqualFold([]byte(name), coding):
				exact = quality(parameter)
			case name == "*" && star:
				rest = quality(parameter)
			}
		})
	}
	if exact < 0 {
		return rest
	}
	return exact
}

// quality reads "q=0.5" in thousandths (RFC 9110 §12.4.2). Without one it is 1; what is
// not one is 0, because the plain file is right for everybody.
func quality(parameter string) int {
	parameter = strings.Trim(parameter, " \t")
	if parameter == "" {
		return 1000
	}
	text, ok := strings.CutPrefix(strings.ToLower(parameter), "q=")
	whole, digits, dot := strings.Cut(text, ".")
	if !ok || whole != "0" && whole != "1" || len(digits) > 3 || dot && strings.Trim(digits, "0123456789") != "" {
		return 0
	}
	thousandths, _ := decimal((digits + "000")[:3])
	if whole == "1" {
		return 1000 // 1.000 is the most that there is
	}
	return int(thousandths)
}
