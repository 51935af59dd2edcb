package forward

import (
	"testing"
	"time"
)

// Whose turn comes in the moment in which they leave gets what was given, a connection or a
// place, so that it does not get lost. Who leaves before is passed over.
func TestTurnWhileLeaving(t *testing.T) {
	var p connPool
	p.init(1, 1, time.Minute, false)
	defer p.close()
	wait := func() *waiter {
		_, w, err := p.reserveLocked("")
		if w == nil || err != nil {
			t.Fatal("there is a place", err)
		}
		return w
	}
	if _, w, err := p.reserveLocked(""); w != nil || err != nil {
		t.Fatal("no place", err)
	}
	for name, given := range map[string]*conn{"a connection": {}, "a place": nil} {
		early, late := wait(), wait()
		if c, err := p.withdraw(early, errFull); c != nil || err != errFull {
			t.Errorf("%s, left before: %v, %v", name, c, err)
		}
		if !p.handLocked(given) {
			t.Fatalf("%s: nobody is given it", name)
		}
		if c, err := p.withdraw(late, errFull); c != given || err != nil {
			t.Errorf("%s, its turn came: %v, %v", name, c, err)
		}
	}
}
