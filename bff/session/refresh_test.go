package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
)

// api is an API whose refresh tokens work once: a token used twice is what it
// calls theft (RFC 9700 §4.14.2).
type api struct {
	mu     sync.Mutex
	valid  map[string]bool
	issued int
	calls  int
	reused int
	pause  time.Duration
}

func newAPI(first ...string) *api {
	a := &api{valid: map[string]bool{}}
	for _, token := range first {
		a.valid[token] = true
	}
	return a
}

func (a *api) refresh(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	token := old.Value(credential.RefreshToken).Reveal()
	if !a.valid[token] {
		a.reused++
		return nil, fmt.Errorf("the API: %w", session.ErrCredentialDead)
	}
	delete(a.valid, token)
	a.issued++
	next := fmt.Sprintf("%s.%d", token, a.issued)
	a.valid[next] = true
	pause := a.pause
	a.mu.Unlock()
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
	a.mu.Lock()
	return old.Renew(tokens("access of "+next, next)), nil
}

func (a *api) allow(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.valid[token] = true
}

func (a *api) count() (calls, reused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls, a.reused
}

// The fear: an expired token and a page with forty calls make forty refreshes,
// and the API takes the second for theft.
func TestOneRefreshForAllWhoWait(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		for _, near := range []time.Duration{0, time.Second} {
			replicas := []*session.Manager{
				p.manager(func(o *session.Options) { o.NearCache = near }),
				p.manager(func(o *session.Options) { o.NearCache = near }),
			}
			upstream := newAPI("refresh-1")
			upstream.pause = 50 * time.Millisecond // most come meanwhile; less only makes the test see less
			ticket, s := start(t, replicas[0], ann("shop"))
			var calls sync.WaitGroup
			for i := range 1000 {
				calls.Go(func() {
					got, err := replicas[i%2].Refresh(context.Background(), s, ticket, time.Minute, upstream.refresh)
					if err != nil || got.Generation != 2 || got.Credential.Value(credential.RefreshToken).Reveal() != "refresh-1.1" {
						t.Errorf("call %d: %v, %v", i, got, err)
					}
				})
			}
			calls.Wait()
			if n, reused := upstream.count(); n != 1 || reused != 0 {
				t.Fatalf("near cache %v: %d refreshes, %d reuses", near, n, reused)
			}
		}
	})
}

func TestManySessionsManyRefreshes(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		replicas := []*session.Manager{p.manager(), p.manager()}
		upstream := newAPI()
		var calls sync.WaitGroup
		for n := range 100 {
			in := ann("shop")
			token := fmt.Sprint("refresh-", n)
			upstream.allow(token)
			in.Credential = tokens("access", token)
			ticket, s := start(t, replicas[0], in)
			for i := range 4 {
				calls.Go(func() {
					if _, err := replicas[i%2].Refresh(context.Background(), s, ticket, time.Minute, upstream.refresh); err != nil {
						t.Error(err)
					}
				})
			}
		}
		calls.Wait()
		if n, reused := upstream.count(); n != 100 || reused != 0 {
			t.Fatalf("%d refreshes, %d reuses", n, reused)
		}
	})
}

// A failure is remembered for a second and changes nothing.
func TestFailedRefresh(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	ticket, s := start(t, m, ann("shop"))
	away := errors.New("connection refused")
	var calls atomic.Int32
	fail := func(context.Context, *credential.Credential) (*credential.Credential, error) {
		calls.Add(1)
		return nil, away
	}
	for range 20 {
		if _, err := m.Refresh(context.Background(), s, ticket, time.Minute, fail); !errors.Is(err, away) {
			t.Fatalf("refresh: %v", err)
		}
	}
	if calls.Load() != 1 {
		t.Fatalf("the API was asked %d times within the second", calls.Load())
	}
	if got := find(t, m, ticket); got.Generation != 1 {
		t.Fatalf("generation %d", got.Generation)
	}
	p.Clock.Advance(time.Second)
	got, err := m.Refresh(context.Background(), s, ticket, time.Minute, newAPI("refresh-1").refresh)
	if err != nil || got.Generation != 2 {
		t.Fatalf("a second later: %v, %v", got, err)
	}
}

// The API refuses the token: the session is over at every replica.
func TestRefusedRefreshEndsTheSession(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(), p.manager()
		heard(t, a, b)
		ticket, s := start(t, a, ann("shop"))
		ended := make(chan session.Reason, 2)
		b.Watch(ticket, func(why session.Reason) { ended <- why })
		_, err := a.Refresh(context.Background(), s, ticket, time.Minute, newAPI().refresh)
		var d session.EndedError
		if !errors.As(err, &d) || d.Reason != session.Upstream {
			t.Fatalf("refresh: %v", err)
		}
		if why := <-ended; why != session.Upstream {
			t.Fatalf("the stream at the other replica ended for %q", why)
		}
		dead(t, a, "shop", ticket, session.Upstream)
		dead(t, b, "shop", ticket, session.Upstream)
		if entries := list(t, b); len(entries) != 0 {
			t.Fatalf("list: %v", entries)
		}
	})
}

// The browser leaves while the API is at work: what comes is stored all the same.
func TestRefreshOutlivesItsCaller(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		ticket, s := start(t, m, ann("shop"))
		ctx, leave := context.WithCancel(context.Background())
		upstream := newAPI("refresh-1")
		left := make(chan struct{})
		_, err := m.Refresh(ctx, s, ticket, time.Minute, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
			leave()
			select {
			case <-left:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				t.Error("the refresh was cancelled with its caller")
			}
			return upstream.refresh(ctx, old)
		})
		close(left)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("refresh: %v", err)
		}
		eventually(t, "the new credential is stored", func() bool { return find(t, m, ticket).Generation == 2 })
	})
}

// Who waits for another replica's refresh waits no longer than the timeout.
func TestWaitersGiveUp(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(), p.manager()
		ticket, s := start(t, a, ann("shop"))
		begun, release := make(chan struct{}), make(chan struct{})
		var holder sync.WaitGroup
		holder.Go(func() {
			_, err := a.Refresh(context.Background(), s, ticket, time.Minute, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
				close(begun)
				<-release
				return tokens("access-2", "refresh-2"), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-begun
		_, err := b.Refresh(context.Background(), s, ticket, 2*time.Second, func(context.Context, *credential.Credential) (*credential.Credential, error) {
			t.Error("a second refresh while the lease is held")
			return nil, errors.New("no")
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the waiter: %v", err)
		}
		close(release)
		holder.Wait()
		if got := find(t, b, ticket); got.Generation != 2 {
			t.Fatalf("generation %d", got.Generation)
		}
	})
}

// The holder of the lease was killed: the next one takes over when it has run out.
func TestDeadHolder(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		ticket, s := start(t, m, ann("shop"))
		st := p.Open()
		defer st.Close()
		if held, _, err := st.Lease(context.Background(), storeKey(ticket), "a dead process", 2*time.Second); !held || err != nil {
			t.Fatalf("lease: %v, %v", held, err)
		}
		upstream := newAPI("refresh-1")
		var got *session.Session
		var err error
		var waiter sync.WaitGroup
		waiter.Go(func() { got, err = m.Refresh(context.Background(), s, ticket, time.Minute, upstream.refresh) })
		if p.Clock != nil {
			eventually(t, "somebody waits for the lease", func() bool { return m.Stats().RefreshWaits > 0 })
			p.Clock.Advance(3 * time.Second)
		}
		waiter.Wait()
		if calls, _ := upstream.count(); err != nil || got.Generation != 2 || calls != 1 {
			t.Fatalf("refresh: %v, %v, %d calls", got, err, calls)
		}
	})
}

// A holder that stalls past its lease must overwrite nothing and end nothing.
func TestStalledHolderIsFenced(t *testing.T) {
	answers := map[string]session.RefreshFunc{
		"late tokens": func(context.Context, *credential.Credential) (*credential.Credential, error) {
			return tokens("late", "late"), nil
		},
		"late refusal": func(context.Context, *credential.Credential) (*credential.Credential, error) {
			return nil, session.ErrCredentialDead
		},
	}
	eachStore(t, func(t *testing.T, p *place) {
		for name, answer := range answers {
			a, b := p.manager(), p.manager()
			ticket, s := start(t, a, ann("shop"))
			got, err := a.Refresh(context.Background(), s, ticket, time.Minute, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
				loseLease(t, p, ticket)
				if _, err := b.Refresh(ctx, s, ticket, time.Minute, newAPI("refresh-1").refresh); err != nil {
					t.Errorf("%s: the next holder: %v", name, err)
				}
				return answer(ctx, old)
			})
			if err != nil || got.Generation != 2 || got.Credential.Value(credential.RefreshToken).Reveal() != "refresh-1.1" {
				t.Errorf("%s: %v, %v", name, got, err)
			}
			if got := find(t, b, ticket); got.Generation != 2 || got.Credential.Value(credential.RefreshToken).Reveal() != "refresh-1.1" {
				t.Errorf("%s: generation %d", name, got.Generation)
			}
		}
	})
}

// loseLease makes the lease run out as if its holder had stalled.
func loseLease(t *testing.T, p *place, ticket session.Ticket) {
	if p.Clock != nil {
		p.Clock.Advance(5 * time.Second)
		return
	}
	raw := (&server{p.Redis}).raw()
	defer raw.Close()
	if raw.Del(context.Background(), storeKey(ticket)+":l").Val() != 1 {
		t.Error("there was no lease")
	}
}

// The store goes away while the API renews the credential: the old one may be
// worth nothing any more, so the new one must not be lost.
func TestNewCredentialOutlivesTheStoresAbsence(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--appendonly", "yes", "--appendfsync", "no")
	p := redisPlace(t, s)
	m := p.manager()
	ticket, made := start(t, m, ann("shop"))
	upstream := newAPI("refresh-1")
	_, err := m.Refresh(context.Background(), made, ticket, time.Minute, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		s.Kill()
		return upstream.refresh(ctx, old)
	})
	if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := m.Refresh(context.Background(), made, ticket, time.Minute, upstream.refresh); err == nil {
		t.Fatal("refreshed without a store")
	}
	s.Start()
	eventually(t, "the new credential is stored", func() bool {
		got, err := m.Find(context.Background(), "shop", ticket)
		return err == nil && got.Generation == 2 && got.Credential.Value(credential.RefreshToken).Reveal() == "refresh-1.1"
	})
	if calls, reused := upstream.count(); calls != 1 || reused != 0 {
		t.Fatalf("%d refreshes, %d reuses", calls, reused)
	}
}

func TestPanicInTheRefreshFunction(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	ticket, s := start(t, m, ann("shop"))
	if _, err := m.Refresh(context.Background(), s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		panic("broken")
	}); err == nil {
		t.Fatal("no error")
	}
	if got, err := m.Refresh(context.Background(), s, ticket, time.Minute, newAPI("refresh-1").refresh); err != nil || got.Generation != 2 {
		t.Fatalf("the next refresh: %v, %v", got, err)
	}
}

// blinking is a store that does not answer the next questions for a lease.
type blinking struct {
	store.Store
	asked  atomic.Int64 // questions for a lease so far
	misses atomic.Int64 // how many of the next fail
}

func (b *blinking) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	b.asked.Add(1)
	if b.misses.Add(-1) >= 0 {
		return false, nil, errors.New("the store blinks")
	}
	return b.Store.Lease(ctx, key, owner, ttl)
}

// The fear: the store blinks once while somebody else's refresh is waited for, and
// forty calls are answered 503. Where it stays away, those who wait are told so.
func TestStoreBlinksForThoseWhoWait(t *testing.T) {
	for misses, wanted := range map[int64]error{1: nil, 2: nil, 1000: store.ErrUnavailable} {
		p := memoryPlace(t)
		b := &blinking{Store: p.Open()}
		holder := p.manager()
		waiter := p.over(b)
		upstream := newAPI("refresh-1")
		ticket, s := start(t, holder, ann("shop"))
		got := make(chan error, 1)
		_, err := holder.Refresh(context.Background(), s, ticket, time.Minute, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
			go func() { // ends with the refresh
				_, err := waiter.Refresh(context.Background(), s, ticket, time.Minute, upstream.refresh)
				got <- err
			}()
			eventually(t, "somebody waits", func() bool { return b.asked.Load() > 0 })
			b.misses.Store(misses)
			if wanted != nil {
				if err := <-got; !errors.Is(err, wanted) {
					t.Errorf("%d misses: %v", misses, err)
				}
				got <- nil
			} else {
				eventually(t, "the store blinked", func() bool { return b.misses.Load() <= 0 })
			}
			return upstream.refresh(ctx, old)
		})
		if waited := <-got; err != nil || waited != nil {
			t.Errorf("%d misses: holder %v, waiter %v", misses, err, waited)
		}
		if calls, _ := upstream.count(); calls != 1 {
			t.Errorf("%d misses: %d refreshes", misses, calls)
		}
	}
}

// TestAmend: changes of a credential for several purposes happen one after the other, and
// the failure of one is nobody else's.
func TestAmend(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		replicas := []*session.Manager{p.manager(func(o *session.Options) { o.NearCache = time.Second }), p.manager()}
		ticket, s := start(t, replicas[0], ann("shop"))
		ctx, down := context.Background(), errors.New("down")
		fails := func(context.Context, *credential.Credential) (*credential.Credential, error) { return nil, down }
		if _, err := replicas[0].Amend(ctx, s, ticket, time.Minute, "orders", fails); !errors.Is(err, down) {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i, name := range []string{"stock", "bills", "mail", "maps"} {
			all.Go(func() {
				for in := s; in.Credential.Exchanged(name) == nil; {
					renewed, err := replicas[i%2].Amend(ctx, in, ticket, time.Minute, name, func(_ context.Context, old *credential.Credential) (*credential.Credential, error) {
						return old.WithExchanged(name, tokens("for "+name, "")), nil
					})
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					in = renewed
				}
			})
		}
		all.Wait()
		now, err := replicas[1].Peek(ctx, "shop", ticket)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"stock", "bills", "mail", "maps"} {
			if now.Credential.Exchanged(name) == nil {
				t.Errorf("%s was overwritten", name)
			}
		}
	})
}
