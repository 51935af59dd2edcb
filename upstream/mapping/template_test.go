package mapping_test

import (
	"fmt"
	"testing"

	"coatcheck/upstream/mapping"
)

// The names in a text, and whether it is nothing but one.
func TestTemplateNames(t *testing.T) {
	for text, want := range map[string]string{
		"": "[]", "{a}": "[a]", "x {a} {b_2}{c-d}": "[a b_2 c-d]", "{{a}": "[]", "{{{a}": "[a]", "{{{{a}": "[]", "{a": "[]", "{}": "[]", "{1a}": "[]", "{a b} {c}": "[c]", "query { me { id } }": "[]",
	} {
		if got := fmt.Sprint(mapping.NewTemplate(text).Names()); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]bool{"{a}": true, "{a} ": false, "{a}{b}": false, "{}": false, "a": false, "{{a}}": false} {
		if _, ok := mapping.NewTemplate(text).Whole(); ok != want {
			t.Errorf("%q whole: %v", text, ok)
		}
	}
}
