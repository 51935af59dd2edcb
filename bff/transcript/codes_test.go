package transcript_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// codes are those that docs/errors.md and the contract list. One is missing: internal
// is a fault of the program, which no request from outside should bring about.
const codes = `bad_request bad_path frontend_undetermined not_authenticated session_expired invalid_credentials
mfa_required origin_not_allowed cross_site_request csrf_header_missing forbidden_destination account_locked
account_disabled account_unverified password_expired not_found method_not_allowed request_timeout body_too_large
unsupported_media_type expectation_failed unknown_host invalid_fields too_many_attempts headers_too_large
upstream_unreachable upstream_invalid store_unavailable upstream_unavailable draining upstream_timeout`

// TestCodes: each code that a browser can be told stands in some transcript, in the
// header and in the document.
func TestCodes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for code := range strings.FieldsSeq(codes) {
		if !strings.Contains(all.String(), "\nCoatcheck-Error: "+code+"\n") || !strings.Contains(all.String(), `"code":"`+code+`"`) {
			t.Errorf("no transcript has the code %s", code)
		}
	}
}
