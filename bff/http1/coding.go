package http1

import (
	"strconv"
	"strings"
)

// Accepts reports whether the browser takes a content coding (RFC 9110 §12.5.3).
func Accepts(h *Head, coding string) bool { return Weight(h, coding, true) > 0 }

// Weight is what the browser says that a coding is worth to it, in thousandths; -1
// where it does not name it. "*" counts for all that it does not name, if star is set.
func Weight(h *Head, coding string, star bool) int {
	exact, rest := -1, -1
	for i := range h.Fields {
		f := &h.Fields[i]
		if !EqualFold(f.Name, "accept-encoding") {
			continue
		}
		EachListMember(f.Value, func(option []byte) {
			name, parameter, _ := strings.Cut(string(option), ";")
			switch name = strings.Trim(name, " \t"); {
			case EqualFold([]byte(name), coding):
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
	if whole == "1" {
		return 1000 // 1.000 is the most that there is
	}
	thousandths, _ := strconv.Atoi((digits + "000")[:3])
	return thousandths
}
