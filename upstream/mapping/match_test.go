package mapping_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"coatcheck/upstream/mapping"
)

// A number is what stands there only if it is the same digit for digit: an account's number
// of 17 digits has neighbours that are one floating-point number with it.
func TestNumbersOfAnAnswerAreComparedExactly(t *testing.T) {
	for _, row := range []struct {
		body string
		is   any
		want bool
	}{
		{`9007199254740993`, int64(9007199254740993), true}, {`9007199254740992`, int64(9007199254740993), false},
		{`"9007199254740993"`, int64(9007199254740993), true}, {`"9007199254740992"`, int64(9007199254740993), false},
		{`18446744073709551615`, uint64(18446744073709551615), true}, {`18446744073709551614`, uint64(18446744073709551615), false},
		{`123456789012345678901234`, json.Number("123456789012345678901234"), true},
		{`123456789012345678901235`, json.Number("123456789012345678901234"), false},
		{`1`, int64(1), true}, {`1.0`, int64(1), true}, {`1e0`, int64(1), true}, {`"1"`, int64(1), true}, {`-1`, int64(1), false},
		{`1.5`, 1.5, true}, {`1.50`, 1.5, true}, {`1.5`, json.Number("1.50"), true}, {`"x"`, int64(1), false}, {`true`, int64(1), false},
		{`"0123"`, "0123", true}, {`123`, "0123", false}, {`"Inf"`, int64(1), false}, {`[1]`, int64(1), false},
	} {
		rule := mapping.Rule{At: &mapping.Place{Pointer: "/code"}, Is: &mapping.Match{Values: []any{row.is}}, Means: mapping.InvalidCredentials}
		answer := mapping.NewResponse(http.StatusBadRequest, http.Header{}, fmt.Appendf(nil, `{"code":%s}`, row.body))
		if got := rule.Matches(answer); got != row.want {
			t.Errorf("%s, held against %v: %v", row.body, row.is, got)
		}
	}
}
