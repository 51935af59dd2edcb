package rule

import (
	"encoding/json"
	"strconv"
	"strings"
)

// SameNumber reports whether two JSON numbers (RFC 8259 §6) have the same value, digit for
// digit: 1, 1.0 and 10e-1 are one number. Floating-point numbers would not do, because two
// account numbers of 17 digits can be one of those.
func SameNumber(a, b string) bool {
	x, okX := decimalOf(a)
	y, okY := decimalOf(b)
	return okX && okY && x == y
}

// decimal is a number: digits × 10^exponent, the digits without zeros at either end.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// decimalOf reads a JSON number; false where text is none, or its exponent has no sense.
func decimalOf(text string) (d decimal, ok bool) {
	if text == "" || strings.Trim(text, "+-.0123456789eE") != "" || !json.Valid([]byte(text)) {
		return decimal{}, false
	}
	text, d.negative = strings.CutPrefix(text, "-")
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.ParseInt(text[i+1:], 10, 32)
		if err != nil {
			return decimal{}, false
		}
		text, d.exponent = text[:i], exponent
	}
	whole, fraction, _ := strings.Cut(text, ".")
	d.exponent -= int64(len(fraction))
	digits := strings.TrimLeft(whole+fraction, "0")
	d.digits = strings.TrimRight(digits, "0")
	d.exponent += int64(len(digits) - len(d.digits))
	if d.digits == "" {
		return decimal{}, true // -0 and 0e9 are 0
	}
	return d, true
}
