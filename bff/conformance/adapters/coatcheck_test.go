package adapters_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/conformance/adapters"
	"coatcheck/bff/conformance/cases"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// known are the failures that docs/conformance.md tells.
var known = map[string]bool{}

// TestCoatcheck: Coatcheck fails in no case but those that the page tells, and in those.
func TestCoatcheck(t *testing.T) {
	for _, a := range adapters.All()[:2] {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			w, err := world.New()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(w.Close)
			s, err := a.Start(w)
			if err != nil {
				t.Fatal(err)
			}
			var waits sync.WaitGroup
			for _, c := range cases.All() {
				if c.Brief { // it waits for ends, at a subject of its own
					waits.Go(func() { look(t, w, s, c) })
					continue
				}
				look(t, w, s, c)
			}
			waits.Wait()
		})
	}
}

// look looks at a case. Where Coatcheck waits for its Redis in vain it says so, and a machine
// that is busy can bring that about: outside the cases about it the case is looked at again.
func look(t *testing.T, w *world.World, s *suite.Subject, c suite.Case) {
	for {
		before := waitedInVain(s, c)
		r := suite.Run(w, s, c)
		if bad := r.Verdict == suite.Fail || r.Verdict == suite.Undecided; bad == known[c.ID] {
			return
		}
		time.Sleep(2 * time.Second) // lines of the log may be on their way
		if c.Group == suite.Outage || waitedInVain(s, c) == before {
			t.Errorf("%s: %s: %s", c.ID, r.Verdict, r.Reason)
			return
		}
	}
}

// waitedInVain is how often the subject of a case has said that its store does not answer.
func waitedInVain(s *suite.Subject, c suite.Case) (n int) {
	subjects := []*suite.Subject{s}
	if c.Brief {
		subjects = nil
		for _, ending := range []suite.Ending{suite.ByIdleness, suite.ByAge} {
			if _, brief, err := s.Short(ending); err == nil {
				subjects = append(subjects, brief)
			}
		}
	}
	for _, s := range subjects {
		n += strings.Count(s.Logs(), `"code":"store_unavailable"`)
	}
	return n
}
