package rule_test

import (
	"testing"

	"coatcheck/configs/rule"
)

func TestNumbersAreComparedDigitForDigit(t *testing.T) {
	for _, same := range [][]string{
		{"1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000", "100e-2"},
		{"0", "-0", "0.0", "0e99", "-0.0e-9"},
		{"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		{"9007199254740992"}, {"9007199254740994"}, {"-9007199254740993"},
		{"123456789012345678901234567890"}, {"123456789012345678901234567891"},
		{"1200", "12e2", "1.2e3"}, {"-1.5", "-15e-1"}, {"1.5"}, {"1e400"}, {"1e-400"}, {"-1"}, {"10"},
	} {
		for _, a := range same {
			for _, other := range [][]string{same, {"2", "1e1000", "0.30000000000000004"}} {
				for _, b := range other {
					if got := rule.SameNumber(a, b); got != (&other[0] == &same[0]) {
						t.Errorf("%s and %s: %v", a, b, got)
					}
				}
			}
		}
	}
	if rule.SameNumber("9007199254740992", "9007199254740993") || rule.SameNumber("1e400", "1e401") || rule.SameNumber("1", "-1") {
		t.Error("neighbours are one number")
	}
	for _, none := range []string{"", " 1", "1 ", "+1", "01", "1.", ".5", "0x1", "1_0", "Inf", "NaN", "1e", "1e99999999999999999999", "--1", "1\n", "true"} {
		if rule.SameNumber(none, none) {
			t.Errorf("%q is a number", none)
		}
	}
}
