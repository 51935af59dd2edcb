package session_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
)

// The fear: a write that was under way when a session ended brings it back.
func TestNoWriteBringsASessionBack(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		for _, near := range []time.Duration{0, time.Second} {
			a := p.manager(func(o *session.Options) { o.NearCache = near })
			b := p.manager(func(o *session.Options) { o.NearCache = near })
			for range 10 {
				endDuringWrites(t, p, a, b)
			}
		}
	})
}

func endDuringWrites(t *testing.T, p *place, a, b *session.Manager) {
	t.Helper()
	ctx := context.Background()
	ticket, s := start(t, a, ann("shop"))
	begun := make(chan struct{}, 100)
	stop := make(chan struct{})
	var work sync.WaitGroup
	write := func(f func()) {
		work.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					f()
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	renew := func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return tokens("access-2", "refresh-2"), nil
	}
	for _, m := range []*session.Manager{a, b} {
		write(func() { _, _ = m.Extend(ctx, "shop", ticket) })
		write(func() {
			now := s
			if found, err := m.Find(ctx, "shop", ticket); err == nil {
				now = found
			}
			_, _ = m.Refresh(ctx, now, ticket, time.Minute, renew)
		})
	}
	for range 8 {
		<-begun
	}
	if _, err := a.End(ctx, "shop", ticket, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	dead(t, a, "shop", ticket, session.SignedOut)
	for range 8 {
		<-begun
	}
	close(stop)
	work.Wait()
	dead(t, a, "shop", ticket, session.SignedOut)
	if value := load(t, p, storeKey(ticket)); value != nil {
		t.Fatal("the record is back in the store")
	}
	if entries, err := a.List(ctx, "shop", s.Subject); err != nil || len(entries) != 0 {
		t.Fatalf("list after the end: %v, %v", entries, err)
	}
}

// The fear: a failover to a server that had not heard of the end brings the
// session back, and it works again.
func TestReplicasEndAgainWhatCameBack(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(), p.manager()
		heard(t, a, b)
		ticket, _ := start(t, a, ann("shop"))
		find(t, b, ticket)
		old := load(t, p, storeKey(ticket))
		ended := make(chan session.Reason, 1)
		b.Watch(ticket, func(why session.Reason) { ended <- why })
		if _, err := a.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
			t.Fatal(err)
		}
		if why := <-ended; why != session.SignedOut { // b has heard of it
			t.Fatalf("reason %q", why)
		}
		put(t, p, storeKey(ticket), old)
		if _, err := b.List(context.Background(), "shop", "ann@example.com"); err != nil {
			t.Fatal(err)
		}
		dead(t, b, "shop", ticket, session.SignedOut)
		dead(t, a, "shop", ticket, session.SignedOut)
	})
}

// A replica that remembers ends the session again without being asked for it,
// because others may not remember.
func TestFailoverIsNoticedWithoutACall(t *testing.T) {
	p := redisPlace(t, startServer(t))
	raw := (&server{p.Redis}).raw()
	defer raw.Close()
	ctx := context.Background()
	m := p.manager()
	ticket, _ := start(t, m, ann("shop"))
	old := load(t, p, storeKey(ticket))
	if _, err := m.End(ctx, "shop", ticket, session.Revoked); err != nil {
		t.Fatal(err)
	}
	put(t, p, storeKey(ticket), old)
	if err := raw.ClientKillByFilter(ctx, "TYPE", "pubsub", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session that came back is ended", func() bool {
		return raw.Exists(ctx, storeKey(ticket)).Val() == 0
	})
	eventually(t, "it is counted", func() bool { return m.Stats().EndedAgain == 1 })
	dead(t, p.manager(), "shop", ticket, session.Revoked) // by the tombstone
}

// shaken is a store behind a failover: the next questions of the maintenance fail.
type shaken struct {
	store.Store
	listener       store.Listener
	seen, removals atomic.Int32 // how many of the next fail
}

func (s *shaken) Listen(ctx context.Context, channel string, l store.Listener) {
	s.listener = l
	s.Store.Listen(ctx, channel, l)
}

func (s *shaken) Seen(ctx context.Context, keys []string) ([]time.Time, error) {
	if s.seen.Add(-1) >= 0 {
		return nil, store.ErrUnavailable
	}
	return s.Store.Seen(ctx, keys)
}

func (s *shaken) Remove(ctx context.Context, key string, r store.Removal) ([]byte, store.Outcome, error) {
	if s.removals.Add(-1) >= 0 {
		return nil, store.Done, store.ErrUnavailable
	}
	return s.Store.Remove(ctx, key, r)
}

// cameBack is a manager over a store that a failover has just taken back to before the
// ends of n sessions, which lie under keys. It is to run in a bubble.
func cameBack(t *testing.T, n int) (st *shaken, m *session.Manager, keys []string) {
	t.Helper()
	ctx := t.Context()
	st = &shaken{Store: memory.Open(memory.Options{})}
	m, err := session.NewManager(st, session.Options{Keys: []credential.Secret{keyA}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	synctest.Wait() // it listens
	for range n {
		ticket, _ := start(t, m, ann("shop"))
		key := storeKey(ticket)
		value, err := st.Load(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		old := bytes.Clone(value)
		if _, err := m.End(ctx, "shop", ticket, session.Revoked); err != nil {
			t.Fatal(err)
		}
		if err := st.Create(ctx, key, old, time.Hour); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return st, m, keys
}

// living is how many of keys are in the store.
func living(t *testing.T, st store.Store, keys []string) (n int) {
	t.Helper()
	for _, key := range keys {
		value, err := st.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if value != nil {
			n++
		}
	}
	return n
}

// The fear: the store is not there yet when a replica looks what a failover brought back,
// and nothing looks again.
func TestWhatCameBackIsLookedForAgain(t *testing.T) {
	for name, shake := range map[string]func(*shaken){
		"who lives": func(s *shaken) { s.seen.Store(3) },
		"removal":   func(s *shaken) { s.removals.Store(3) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, m, keys := cameBack(t, 1)
				shake(st)
				st.listener.Gap()
				time.Sleep(time.Minute)
				if n := living(t, st, keys); n != 0 || m.Stats().EndedAgain != 1 {
					t.Fatalf("%d live on, %d counted", n, m.Stats().EndedAgain)
				}
				asked := st.seen.Load()
				time.Sleep(time.Minute)
				if st.seen.Load() != asked {
					t.Error("it goes on looking")
				}
			})
		})
	}
}

// The fear: one server of a cluster that takes no writes lets sessions of the others live.
func TestOneFailedRemovalStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, _, keys := cameBack(t, 5)
		st.removals.Store(1)
		st.listener.Gap()
		synctest.Wait()
		if n := living(t, st, keys); n != 1 {
			t.Errorf("%d of 5 live on behind the first look", n)
		}
	})
}

// Tokens that arrive after the end go to the API's sign-out, not to the session.
func TestTokensForAnEndedSession(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		orphans := make(chan string, 1)
		m := p.manager(func(o *session.Options) {
			o.Orphaned = func(_ context.Context, s *session.Session, c *credential.Credential) {
				frontend := s.Frontend
				orphans <- frontend + " " + c.Value(credential.AccessToken).Reveal()
			}
		})
		other := p.manager()
		ticket, s := start(t, m, ann("shop"))
		_, err := m.Refresh(ctx, s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
			if _, err := other.End(ctx, "shop", ticket, session.SignedOut); err != nil {
				t.Error(err)
			}
			return tokens("access-2", "refresh-2"), nil
		})
		var d session.EndedError
		if !errors.As(err, &d) || d.Reason != session.SignedOut {
			t.Fatalf("refresh: %v", err)
		}
		if got := <-orphans; got != "shop access-2" {
			t.Fatalf("orphaned: %s", got)
		}
		if load(t, p, storeKey(ticket)) != nil {
			t.Fatal("the record is back")
		}
	})
}
