package rule_test

import (
	"testing"

	"coatcheck/configs/rule"
)

// TestSuggestWord: a word of one name leads to it, and one of several leads nowhere.
func TestSuggestWord(t *testing.T) {
	known := []string{"idle_timeout", "absolute_timeout", "store", "max_body"}
	for given, want := range map[string]string{"idle": "did you mean idle_timeout?", "Absolute": "did you mean absolute_timeout?", "body": "did you mean max_body?",
		"timeout": "", "max": "", "stor": "did you mean store?", "colour": ""} {
		if got := rule.Suggest(given, known); got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
}
