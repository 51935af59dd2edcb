package session_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
)

// keeps writes a value beside the token, as a load balancer's cookie is.
func keeps(_ context.Context, old *credential.Credential) (*credential.Credential, error) {
	return old.Renew(credential.New(map[string]credential.Secret{"kept": credential.NewSecret("k")}, time.Time{}, time.Time{})), nil
}

// The fear: something else is written beside a token, and whoever wanted another token is
// told that there is one. The call is repeated with the dead one, and the session is braked.
func TestOtherChangesAreNoRenewal(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		for _, near := range []time.Duration{0, time.Second} {
			a, b := p.manager(within(near)), p.manager(within(near))
			heard(t, a, b)
			ctx := context.Background()
			for name, change := range map[string]func(s *session.Session, ticket session.Ticket) error{
				"kept": func(s *session.Session, ticket session.Ticket) error {
					_, err := a.Amend(ctx, s, ticket, time.Minute, "keep", keeps)
					return err
				},
				"described": func(s *session.Session, ticket session.Ticket) error {
					_, err := a.Describe(ctx, s, ticket, []byte(`{"name":"Ann B."}`))
					return err
				},
			} {
				for who, replica := range map[string]*session.Manager{"here": a, "there": b} {
					upstream := newAPI("refresh-1")
					ticket, s := start(t, a, ann("shop"))
					if err := change(s, ticket); err != nil {
						t.Fatal(name, err)
					}
					renewed, err := replica.Refresh(ctx, s, ticket, time.Minute, upstream.refresh)
					if err != nil || renewed.Credential.Value(credential.AccessToken).Equal(s.Credential.Value(credential.AccessToken)) {
						t.Fatalf("%s, %s: %v, %v", name, who, renewed, err)
					}
					if name == "kept" && renewed.Credential.Value("kept").IsEmpty() || name == "described" && string(renewed.User) == string(s.User) {
						t.Errorf("%s, %s: the renewal lost it", name, who)
					}
					if again, err := replica.Refresh(ctx, s, ticket, time.Minute, upstream.refresh); err != nil || again.Generation != renewed.Generation {
						t.Errorf("%s, %s, renewed already: %v, %v", name, who, again, err)
					}
					if calls, reused := upstream.count(); calls != 1 || reused != 0 {
						t.Errorf("%s, %s: %d calls, %d of a spent token", name, who, calls, reused)
					}
				}
			}
		}
	})
}

// failing is a store whose Replace fails while it says so.
type failing struct {
	store.Store
	fails atomic.Bool
}

func (f *failing) Replace(ctx context.Context, key string, s store.Swap) (store.Outcome, error) {
	if f.fails.Load() {
		return store.Done, errors.New("away")
	}
	return f.Store.Replace(ctx, key, s)
}

// The fear: while a renewed credential waits for its store, whoever wants another change
// turns in a circle, and takes a processor.
func TestAnotherChangeWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &failing{Store: memory.Open(memory.Options{})}
		var looks atomic.Int64
		var circles atomic.Bool
		m, err := session.NewManager(st, session.Options{Keys: []credential.Secret{keyA}, Now: func() time.Time {
			if looks.Add(1) == 10_000 {
				circles.Store(true)
				runtime.Goexit() // else the test would hang, too
			}
			return time.Now()
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		ticket, s := start(t, m, ann("shop"))
		st.fails.Store(true)
		if _, err := m.Refresh(t.Context(), s, ticket, time.Second, newAPI("refresh-1").refresh); !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			defer close(done)
			_, err := m.Amend(t.Context(), s, ticket, time.Second, "keep", keeps)
			done <- err
		}()
		if err := <-done; circles.Load() || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v after %d readings of the clock", err, looks.Load())
		}
		behind := make(chan error, 1)
		go func() {
			_, err := m.Amend(t.Context(), s, ticket, 5*time.Second, "keep", keeps)
			behind <- err
		}()
		synctest.Wait()
		st.fails.Store(false)
		if err := <-behind; err != nil {
			t.Errorf("behind the renewal: %v", err)
		}
	})
}

// The fear: a credential that the API gave is lost after ten minutes, and nobody hears of it.
func TestLostCredentialIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &failing{Store: memory.Open(memory.Options{})}
		var log logged
		m, err := session.NewManager(st, session.Options{Keys: []credential.Secret{keyA}, Log: log.Logger()})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		ticket, s := start(t, m, ann("shop"))
		st.fails.Store(true)
		_, _ = m.Refresh(t.Context(), s, ticket, time.Second, newAPI("refresh-1").refresh)
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if text := log.String(); strings.Count(text, "could not be stored") != 1 || strings.Contains(text, "refresh-1") {
			t.Errorf("%q", text)
		}
	})
}

// hooked is a store that lets something happen behind the next list of a table, or behind
// the next look at who lives.
type hooked struct {
	store.Store
	behindEntries, behindSeen atomic.Pointer[func()]
}

func (h *hooked) Entries(ctx context.Context, table string) (map[string][]byte, error) {
	entries, err := h.Store.Entries(ctx, table)
	if f := h.behindEntries.Swap(nil); f != nil {
		(*f)()
	}
	return entries, err
}

func (h *hooked) Seen(ctx context.Context, keys []string) ([]time.Time, error) {
	seen, err := h.Store.Seen(ctx, keys)
	if f := h.behindSeen.Swap(nil); f != nil {
		(*f)()
	}
	return seen, err
}

// The fear: a session escapes its revocation because it is exchanged in that moment.
func TestRevokedWhileItIsExchanged(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		for name, revoke := range map[string]func(m *session.Manager, s, other *session.Session) error{
			"one": func(m *session.Manager, s, _ *session.Session) error { return m.EndOne(ctx, "shop", s.Subject, s.ID) },
			"others": func(m *session.Manager, _, other *session.Session) error {
				_, err := m.EndOthers(ctx, other)
				return err
			},
			"all": func(m *session.Manager, s, _ *session.Session) error {
				_, err := m.EndAll(ctx, "shop", s.Subject)
				return err
			},
		} {
			for _, when := range []string{"listed", "seen"} {
				st := &hooked{Store: p.Open()}
				a, b := p.over(st), p.manager()
				ticket, s := start(t, a, ann("shop"))
				_, other := start(t, a, ann("shop"))
				next, now := ticket, s
				exchange := func() {
					for range 2 { // any number of times
						var err error
						if next, now, err = b.Exchange(ctx, now, next, time.Minute, exchanged("t2")); err != nil {
							t.Error(name, err)
						}
					}
				}
				if when == "listed" {
					st.behindEntries.Store(&exchange)
				} else {
					st.behindSeen.Store(&exchange)
				}
				if err := revoke(a, s, other); err != nil {
					t.Errorf("%s, %s: %v", name, when, err)
				}
				dead(t, b, "shop", next, session.Revoked)
				dead(t, a, "shop", ticket, session.Expired)
				if _, err := a.EndAll(ctx, "shop", s.Subject); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestLiveOfACallerWhoLeft: that somebody did not wait is not what others are told.
func TestLiveOfACallerWhoLeft(t *testing.T) {
	p := memoryPlace(t)
	st := &counting{Store: p.Open()}
	m := p.over(st)
	start(t, m, ann("shop"))
	gone, leave := context.WithCancel(context.Background())
	leave()
	if _, err := m.Live(gone); err == nil {
		t.Fatal("counted for nobody")
	}
	if n, err := m.Live(context.Background()); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// counting is a store that heeds its caller's leaving, as one over a network does.
type counting struct{ store.Store }

func (c *counting) Estimate(ctx context.Context, isRecord func(string) bool) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return c.Store.Estimate(ctx, isRecord)
}
