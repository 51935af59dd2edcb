package call_test

import (
	"testing"
	"time"

	"coatcheck/bff/call"
)

// The fear: a clock that is set back by an hour silences the log for an hour.
func TestPace(t *testing.T) {
	var pace call.Pace
	now := time.Now()
	for i, row := range []struct {
		at  time.Time
		due bool
	}{
		{now, true}, {now, false}, {now.Add(999 * time.Millisecond), false}, {now.Add(time.Second), true},
		{now.Add(-time.Hour).Round(0), true}, {now.Add(-time.Hour).Round(0).Add(time.Millisecond), false}, {now, true},
	} {
		if pace.IsDue(row.at, time.Second) != row.due {
			t.Errorf("row %d", i)
		}
	}
}
