package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
)

// falling is a store whose next answer to Load is a fault of the program, once fall is closed.
type falling struct {
	store.Store
	armed atomic.Bool
	fall  chan struct{}
}

func (f *falling) Load(ctx context.Context, key string) ([]byte, error) {
	if f.armed.CompareAndSwap(true, false) {
		<-f.fall
		panic("fault")
	}
	return f.Store.Load(ctx, key)
}

// The fear: a fault in one call's question to the store leaves all that share the question
// waiting forever, or tells them that nobody is signed in.
func TestFaultWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &falling{Store: memory.Open(memory.Options{}), fall: make(chan struct{})}
		options := session.Options{Keys: []credential.Secret{keyA}, NearCache: 5 * time.Second}
		begins, err := session.NewManager(shared{Store: st}, options)
		if err != nil {
			t.Fatal(err)
		}
		defer begins.Close()
		ticket, _ := start(t, begins, ann("shop"))
		m, err := session.NewManager(st, options) // which knows nothing of the session yet
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		st.armed.Store(true)
		found := make(chan error, 1)
		go func() {
			defer func() { _ = recover() }()
			_, _ = m.Find(context.Background(), "shop", ticket)
		}()
		synctest.Wait() // it asks
		go func() {
			_, err := m.Find(context.Background(), "shop", ticket)
			found <- err
		}()
		synctest.Wait() // it waits for that answer
		close(st.fall)
		select {
		case err := <-found:
			if err != nil {
				t.Errorf("the other: %v", err)
			}
		case <-time.After(time.Hour):
			t.Error("the other waits forever")
		}
	})
}
