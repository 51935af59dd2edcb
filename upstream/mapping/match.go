package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"coatcheck/configs/rule"
)

// isLike compares what a response says with one alternative of a rule. Text and
// numbers are compared as text too, because headers have no types and APIs
// disagree on whether a code is a number.
func isLike(got, want any) bool {
	if want == nil || got == nil {
		return want == nil && got == nil
	}
	text, ok := Text(got)
	if !ok {
		return false
	}
	switch want := want.(type) {
	case string:
		return isLikeText(text, want)
	case bool:
		return text == strconv.FormatBool(want)
	case int64, uint64, float64, json.Number:
		return rule.SameNumber(text, fmt.Sprint(want))
	}
	return false
}

// isLikeText compares with text that may have a * at either end.
func isLikeText(text, want string) bool {
	middle, open := strings.CutSuffix(want, "*")
	middle, begun := strings.CutPrefix(middle, "*")
	switch {
	case open && begun:
		return strings.Contains(text, middle)
	case open:
		return strings.HasPrefix(text, middle)
	case begun:
		return strings.HasSuffix(text, middle)
	}
	return text == want
}
