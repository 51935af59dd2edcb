package toy_test

import (
	"flag"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/conformance/cases"
	"coatcheck/bff/conformance/chromium"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/toy"
	"coatcheck/bff/conformance/world"
)

// only is for those who write a case: go test ./toy -only framing
var only = flag.String("only", "", "cases whose ids begin so")

// houses are the toys: between them every case applies.
var houses = []struct {
	name         string
	form, shared bool
}{{"form", true, false}, {"provider", false, false}, {"shared", true, true}}

// open starts a toy in a world of its own.
func open(t *testing.T, form, shared bool) (*world.World, *toy.Toy, *suite.Subject) {
	t.Helper()
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	y, err := toy.Start(w, form, shared)
	if err != nil {
		t.Fatal(err)
	}
	return w, y, y.Subject("toy")
}

// TestIDs: an id names its group, and one case.
func TestIDs(t *testing.T) {
	groups, seen := map[string]bool{}, map[string]bool{}
	for _, group := range suite.Groups {
		groups[group] = true
	}
	for _, c := range cases.All() {
		if seen[c.ID] || !groups[c.Group] || c.Source == "" || c.Says == "" || c.Pass == "" || c.Severity == "" {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
	t.Logf("%d cases", len(seen))
}

// TestToy: without a sin every case that applies passes; with its own sin alone, and
// with all sins, every case fails. So no case passes whatever a subject does.
func TestToy(t *testing.T) {
	failed := map[string]bool{}
	ran := make(chan map[string]bool, len(houses))
	t.Run("houses", func(t *testing.T) {
		for _, house := range houses {
			t.Run(house.name, func(t *testing.T) {
				t.Parallel()
				ran <- sweep(t, house.form, house.shared)
			})
		}
	})
	close(ran)
	for ids := range ran {
		for id, does := range ids {
			failed[id] = failed[id] || does
		}
	}
	for _, c := range cases.All() {
		if c.Group == suite.InBrowser && chromium.Find() == "" {
			t.Logf("%s: no browser found", c.ID)
			continue
		}
		if !failed[c.ID] && strings.HasPrefix(c.ID, *only) {
			t.Errorf("%s applies to no toy", c.ID)
		}
	}
}

// sweep runs every case without sins, with its own, and with all of them. It returns the
// cases that apply. Those that wait for ends of sessions wait at the same time, each
// with a toy of its own, and those of a real browser beside the others.
func sweep(t *testing.T, form, shared bool) map[string]bool {
	w, y, s := open(t, form, shared)
	var mu sync.Mutex
	var waits sync.WaitGroup
	applies := map[string]bool{}
	look := func(w *world.World, y *toy.Toy, s *suite.Subject, c suite.Case) {
		does := proven(t, w, y, s, c)
		mu.Lock()
		defer mu.Unlock()
		applies[c.ID] = does
	}
	if !shared {
		w, y, s := open(t, form, shared)
		waits.Go(func() {
			for _, c := range inBrowser(form) {
				look(w, y, s, c)
			}
		})
	}
	for _, c := range cases.All() {
		if !strings.HasPrefix(c.ID, *only) {
			continue
		}
		if shared && !slices.Contains([]string{suite.CORS, suite.TwoPeople, suite.CSRF, suite.Cookies}, c.Group) {
			continue // as on hosts of their own
		}
		switch c.Group {
		case suite.Expiry:
			w, y, s := open(t, form, shared)
			waits.Go(func() { look(w, y, s, c) })
		case suite.InBrowser:
		default:
			look(w, y, s, c)
		}
	}
	waits.Wait()
	return applies
}

// inBrowser are the cases of a real browser that a house looks at: all of them where
// people sign in at the provider, and by form what is another case there.
func inBrowser(form bool) (all []suite.Case) {
	for _, c := range cases.All() {
		if c.Group == suite.InBrowser && strings.HasPrefix(c.ID, *only) && (!form || c.ID == "browser-login") {
			all = append(all, c)
		}
	}
	return all
}

// proven looks at one case. It reports whether it applies.
func proven(t *testing.T, w *world.World, y *toy.Toy, s *suite.Subject, c suite.Case) bool {
	s.Patience = 30 * time.Second
	y.Patience(s.Patience)
	y.Sin()
	r := suite.Run(w, s, c)
	if r.Verdict == suite.NotApplicable {
		return false
	}
	if r.Verdict != suite.Pass {
		t.Errorf("%s without sins: %s: %s", c.ID, r.Verdict, r.Reason)
	}
	s.Patience = 700 * time.Millisecond // what a sin keeps from happening is not waited for long
	y.Patience(s.Patience)
	y.Sin(c.ID)
	if r := suite.Run(w, s, c); r.Verdict != suite.Fail {
		t.Errorf("%s with its sin: %s %s", c.ID, r.Verdict, r.Reason)
	}
	y.SinAll(c.ID)
	if r := suite.Run(w, s, c); r.Verdict != suite.Fail {
		t.Errorf("%s with all sins: %s %s", c.ID, r.Verdict, r.Reason)
	}
	return true
}
