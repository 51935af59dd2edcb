package session_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
	"coatcheck/bff/session/store/storetest"
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

// The fear: an API that is slow to answer is asked by a second replica meanwhile, and takes
// that for theft.
func TestALeaseLastsAsLongAsItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.Open(memory.Options{})
		replicas := make([]*session.Manager, 2)
		for i := range replicas {
			m, err := session.NewManager(storetest.Shared{Store: st}, session.Options{Keys: []credential.Secret{keyA}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			replicas[i] = m
		}
		defer st.Close()
		ticket, s := start(t, replicas[0], ann("shop"))
		upstream := newAPI("refresh-1")
		upstream.pause = 20 * time.Second
		var calls sync.WaitGroup
		for i := range 8 {
			calls.Go(func() {
				got, err := replicas[i%2].Refresh(t.Context(), s, ticket, time.Minute, upstream.refresh)
				if err != nil || got.Generation != 2 {
					t.Errorf("call %d: %v, %v", i, got, err)
				}
			})
		}
		calls.Wait()
		if n, reused := upstream.count(); n != 1 || reused != 0 {
			t.Errorf("%d refreshes, %d reuses", n, reused)
		}
	})
}
