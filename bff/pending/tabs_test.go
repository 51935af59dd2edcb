package pending_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
	"coatcheck/bff/session/store/storetest"
	"coatcheck/bff/session/ticket"
)

func managerOver(t testing.TB, st store.Store) *session.Manager {
	t.Helper()
	m, err := session.NewManager(st, session.Options{Keys: []credential.Secret{keyA}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// The fear: a tab begins a session in place of the one that was left for others, and they
// go on to that one, which is over.
func TestTheLastSessionThatWasLeftCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		ctx, browser := context.Background(), pending.NewBrowser()
		tabs := pending.NewTabs(managerOver(t, p.Open()).Vault())
		turn, shared, err := tabs.Take(ctx, "shop", browser)
		if err != nil || shared != nil {
			t.Fatal(shared, err)
		}
		first, second := pending.Shared{Ticket: ticket.New(), Person: "ann"}, pending.Shared{Ticket: ticket.New(), Person: "ann"}
		if err := turn.Leave(ctx, first); err != nil {
			t.Fatal(err)
		}
		turn, shared, err = tabs.Take(ctx, "shop", browser)
		if err != nil || shared == nil || shared.Ticket.Reveal() != first.Ticket.Reveal() {
			t.Fatal(shared, err)
		}
		if err := turn.Leave(ctx, second); err != nil { // it began one of its own all the same
			t.Fatal(err)
		}
		if _, shared, err = tabs.Take(ctx, "shop", browser); err != nil || shared == nil || shared.Ticket.Reveal() != second.Ticket.Reveal() {
			t.Errorf("the third tab: %v, %v", shared, err)
		}
	})
}

// blinking is a store that fails at the n-th count.
type blinking struct {
	store.Store
	n int
}

func (b *blinking) Count(ctx context.Context, key, id string, limit int, window time.Duration) (time.Duration, bool, error) {
	if b.n--; b.n == 0 {
		return 0, false, errors.New("away")
	}
	return b.Store.Count(ctx, key, id, limit, window)
}

// The fear: a store that blinks takes tries away, and with the fifth the sign-in.
func TestABlinkCostsNoTry(t *testing.T) {
	st := &blinking{Store: memory.Open(memory.Options{})}
	steps := pending.New(managerOver(t, st).Vault())
	ctx := context.Background()
	ticket, err := steps.Hold(ctx, pending.Step{Frontend: "shop", Account: "ann", Name: "otp"})
	if err != nil {
		t.Fatal(err)
	}
	step, err := steps.Find(ctx, "shop", ticket)
	if err != nil {
		t.Fatal(err)
	}
	for range pending.MaxTries {
		st.n = 2
		if _, err := steps.Try(ctx, step); !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	for i := range pending.MaxTries {
		if try, err := steps.Try(ctx, step); err != nil || try.Last != (i == pending.MaxTries-1) {
			t.Errorf("try %d: %v, %v", i+1, try, err)
		}
	}
}
