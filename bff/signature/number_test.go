package signature_test

import (
	"encoding/json"
	"testing"

	"coatcheck/bff/signature"
)

// An account whose number is a floating-point neighbour of the right one is another account.
func TestNumbersOfALineAreComparedExactly(t *testing.T) {
	for _, row := range []struct {
		is   any
		body string
		want bool
	}{
		{int64(9007199254740993), `9007199254740993`, true}, {int64(9007199254740993), `9007199254740992`, false},
		{uint64(18446744073709551615), `18446744073709551614`, false},
		{json.Number("123456789012345678901234"), `123456789012345678901234`, true},
		{json.Number("123456789012345678901234"), `123456789012345678901235`, false},
		{int64(1), `1.0`, true}, {int64(1), `10e-1`, true}, {1.5, `1.50`, true}, {int64(1), `"1"`, false}, {int64(1), `2`, false},
	} {
		r := simple()
		r.Admit = []signature.Line{{At: &signature.Place{Pointer: pointer("/account")}, Is: []any{row.is}}}
		body := `{"account":` + row.body + `}`
		_, err := one(t, r).Verify(post(body, "X-At", "1700000000", "X-Proof", mac("1700000000."+body)), noon)
		if (err == nil) != row.want {
			t.Errorf("%s, held against %v: %v", row.body, row.is, err)
		}
	}
}
