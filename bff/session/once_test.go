package session_test

import (
	"context"
	"testing"
	"time"

	"coatcheck/bff/session"
)

// Once grants something once in a while for the whole fleet.
func TestOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		a, b := p.manager(), p.manager()
		_, s := start(t, a, ann("shop"))
		yes := 0
		for i := range 10 {
			m := []*session.Manager{a, b}[i%2]
			may, err := m.Once(ctx, s, "refresh", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if may {
				yes++
			}
		}
		if yes != 1 {
			t.Fatalf("granted %d times", yes)
		}
		if may, err := a.Once(ctx, s, "something else", time.Minute); !may || err != nil {
			t.Fatalf("another matter: %v, %v", may, err)
		}
	})
}
