package suite_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/conformance/suite"
)

// TestLimit: a case that does not end costs the cases after it their verdict, and the
// subjects after it nothing.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := suite.NewLimit(time.Minute)
		held := make(chan bool)
		hangs := suite.Case{ID: "hangs", Run: func(*suite.T) { <-held }}
		ends := suite.Case{ID: "ends", Run: func(*suite.T) {}}
		for _, step := range []struct {
			c    suite.Case
			want suite.Verdict
			why  string
		}{{ends, suite.Pass, ""}, {hangs, suite.Undecided, "did not end within the limit of 1m0s"}, {ends, suite.Undecided, "not reached within the limit of 1m0s"}} {
			if r := suite.RunWithin(limit, nil, &suite.Subject{}, step.c); r.Verdict != step.want || !strings.Contains(r.Reason, step.why) {
				t.Errorf("%s: %s %s", step.c.ID, r.Verdict, r.Reason)
			}
		}
		close(held)
	})
}
