package http1_test

import (
	"testing"

	"coatcheck/bff/http1"
)

func TestWords(t *testing.T) {
	for word, want := range map[string]struct{ token, plain bool }{
		"Accept": {true, true}, "X-Request-Id2": {true, true}, "X_Forwarded_For": {true, false}, "X.Y": {true, false}, "X!": {true, false},
		"X-": {true, false}, "-X": {true, false}, "X--Y": {true, false}, "Transfer---Encoding": {true, false}, "-": {true, false}, "": {}, "X Y": {}, "X:": {}, "Xé": {}, "X\x00": {}, "(x)": {},
	} {
		if got := http1.IsToken([]byte(word)); got != want.token {
			t.Errorf("IsToken(%q) = %v", word, got)
		}
		if got := http1.IsPlainName([]byte(word)); got != want.plain {
			t.Errorf("IsPlainName(%q) = %v", word, got)
		}
	}
	for b, want := range map[string]struct{ equal, prefix bool }{
		"x-a": {true, true}, "X-A": {true, true}, "X-Ab": {false, true}, "x-": {}, "x_a": {}, "": {}, "X\rA": {}, "K-a": {},
	} {
		if got := http1.EqualFold([]byte(b), "x-a"); got != want.equal {
			t.Errorf("EqualFold(%q) = %v", b, got)
		}
		if got := http1.HasPrefixFold([]byte(b), "x-a"); got != want.prefix {
			t.Errorf("HasPrefixFold(%q) = %v", b, got)
		}
	}
	// Letters that only Unicode folds stay apart: the Kelvin sign is no k.
	if http1.EqualFold([]byte("\u212a"), "k") || http1.EqualFold([]byte("chun\u212aed"), "chunked") {
		t.Error("folded by Unicode's rules")
	}
}

func TestOptions(t *testing.T) {
	for list, want := range map[string]string{"": "", "a": "a|", "a, b ,\tc": "a|b|c|", ",,a,, ,b,": "a|b|", " a b ": "a b|"} {
		got := ""
		http1.EachListMember([]byte(list), func(member []byte) { got += string(member) + "|" })
		if got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
