package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
)

// late is a store whose Replace answers long after it was made, as on a disk that is slow.
type late struct {
	store.Store
	by time.Duration
}

func (l *late) Replace(ctx context.Context, key string, s store.Swap) (store.Outcome, error) {
	outcome, err := l.Store.Replace(ctx, key, s)
	time.Sleep(l.by)
	return outcome, err
}

// The fear: a holder renews the lease that its own write has given back already, and
// nobody gives it back again. The next change, which has a second, is lost.
func TestALeaseThatWasGivenBackIsFree(t *testing.T) {
	for _, by := range []time.Duration{1100 * time.Millisecond, 2500 * time.Millisecond, 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			st := &late{Store: memory.Open(memory.Options{}), by: by}
			m, err := session.NewManager(st, session.Options{Keys: []credential.Secret{keyA}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			ticket, s := start(t, m, ann("shop"))
			renewed, err := m.Refresh(t.Context(), s, ticket, time.Minute, newAPI("refresh-1").refresh)
			if err != nil {
				t.Fatal(err)
			}
			st.by = 0
			if _, err := m.Amend(t.Context(), renewed, ticket, time.Second, "keep", keeps); err != nil {
				t.Errorf("a write of %v: the next change: %v", by, err)
			}
		})
	}
}
