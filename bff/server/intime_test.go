package server_test

import (
	"fmt"
	"testing"
	"time"
)

// closePatience is how long Coatcheck tries to tell a WebSocket's browser of its end,
// lastWrite how long the last event of a stream may take to be written, and lookPatience
// how long the rest of an answer that is looked into is waited for.
const (
	closePatience = 800 * time.Millisecond
	lastWrite     = 250 * time.Millisecond
	lookPatience  = time.Second
)

// mostAttempts bound what inTime repeats.
const mostAttempts = 20

// inTime judges an attempt that was not late. Where Coatcheck waits for a bounded time only,
// a busy machine may take all of it: then what went wrong says nothing, and is tried again.
// An attempt makes all that it needs anew; fault is what was wrong with it, empty: nothing.
func inTime(t *testing.T, attempt func() (late bool, fault string)) {
	t.Helper()
	for n := 1; ; n++ {
		late, fault := attempt()
		switch {
		case fault == "":
			return
		case !late:
			t.Error(fault)
			return
		case n == mostAttempts:
			t.Errorf("late in all of %d attempts; the last: %s", n, fault)
			return
		}
	}
}

// mismatch is what is wrong where got is not want.
func mismatch(what, got, want string) (fault string) {
	if got == want {
		return ""
	}
	return fmt.Sprintf("%s: %q, want %q", what, got, want)
}
