package adapters_test

import (
	"sync"
	"testing"

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

func look(t *testing.T, w *world.World, s *suite.Subject, c suite.Case) {
	r := suite.Run(w, s, c)
	if bad := r.Verdict == suite.Fail || r.Verdict == suite.Undecided; bad != known[c.ID] {
		t.Errorf("%s: %s: %s", c.ID, r.Verdict, r.Reason)
	}
}
