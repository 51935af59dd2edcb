package suite_test

import (
	"strings"
	"testing"

	"coatcheck/bff/conformance/cases/window"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// TestNoBrowser: without a Chromium, no case of one passes.
func TestNoBrowser(t *testing.T) {
	for _, name := range []string{"CHROMIUM", "PATH", "PLAYWRIGHT_BROWSERS_PATH"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	s := &suite.Subject{Provider: &suite.Provider{ReturnTo: "to"}, WebSocket: true}
	for _, c := range window.All() {
		if r := suite.Run(w, s, c); r.Verdict != suite.NotApplicable || !strings.HasPrefix(r.Reason, "no browser found") {
			t.Errorf("%s: %s %s", c.ID, r.Verdict, r.Reason)
		}
	}
}
