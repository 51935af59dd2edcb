package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/session"
)

// TestTabsThatFinishTogether: of a browser's sign-ins that are stored at the same time
// one is left, and it is the one whose tab was told so.
func TestTabsThatFinishTogether(t *testing.T) {
	m := memoryPlace(t).manager()
	ctx := context.Background()
	type tab struct {
		ticket session.Ticket
		newer  bool
	}
	tabs := make([]tab, 12)
	var all sync.WaitGroup
	for i := range tabs {
		all.Go(func() {
			ticket, s, err := m.Start(ctx, ann("shop"))
			if err != nil {
				t.Error(err)
				return
			}
			older, newer, err := m.ReplaceInBrowser(ctx, strings.Repeat("b", 64), s)
			if newer {
				older = append(older, s.Handle())
			}
			for _, handle := range older {
				err = errors.Join(err, m.EndHandle(ctx, handle))
			}
			if err != nil {
				t.Error(err)
			}
			tabs[i] = tab{ticket, newer}
		})
	}
	all.Wait()
	living := 0
	for _, tab := range tabs {
		if _, err := m.Find(ctx, "shop", tab.ticket); err == nil {
			if living++; tab.newer {
				t.Error("a tab that was told of a newer session has the living one")
			}
		}
	}
	if living != 1 {
		t.Errorf("%d sessions of one browser live", living)
	}
}

// TestPersonsApart: no subject of an API reads like a provider's person.
func TestPersonsApart(t *testing.T) {
	people := map[string][2]string{}
	for _, who := range [][2]string{{"", "ada"}, {"id", "ada"}, {"", "id\nada"}, {"", "\nid\nada"}, {"id", "\nada"}, {"", "\nada"}, {"hub", "ada"}} {
		name := session.PersonOf(who[0], who[1])
		if other, taken := people[name]; taken {
			t.Errorf("%q and %q are one person", who, other)
		}
		people[name] = who
	}
}
