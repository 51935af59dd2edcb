package account

import (
	"strings"
	"testing"
)

// FuzzBodyFault: whatever a body holds, the reason for the log is one of a few, and has
// none of its bytes.
func FuzzBodyFault(f *testing.F) {
	for _, b := range []string{`{"a":true}`, `{"a":1}`, `{"a":null}`, `{"a":[]}`, `{"a":"","b":"x"}`, `{"a":"x","a":"y"}`, `[1`, "{\"a\":\"\\u0000\"}", "\xff", ``, `{"a":"b"} x`} {
		f.Add([]byte(b))
	}
	reasons := []string{notFlat, "the body is not UTF-8", "a field is there twice", "a field is empty", "a field has a NUL", "a field is null", "a field is a list or an object"}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := bodyFault(body)
		for _, reason := range reasons {
			if strings.HasPrefix(got, reason) {
				return
			}
		}
		t.Errorf("%q: %q", body, got)
	})
}
