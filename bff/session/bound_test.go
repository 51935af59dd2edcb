package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/session/store/storetest"
	"coatcheck/bff/throttle"
)

// heap is what the program's living objects take, in bytes.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go of
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// stranger is an address of its own for each i.
func stranger(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// The fear: one address that is throttled makes up accounts until the memory is
// full.
func TestJunkSignInsTakeNoMemory(t *testing.T) {
	const junk = 20_000
	for _, url := range []string{"memory://", "file://" + filepath.Join(t.TempDir(), "sessions.db")} {
		p := &place{&storetest.Place{}, t}
		m := p.over(openStore(t, url, nil))
		ctx := context.Background()
		for i := range tenOf5m.Address {
			attempt(t, m, fmt.Sprint("first ", i), abroad, tenOf5m)
		}
		before := heap()
		for i := range junk {
			throttled(t, m, fmt.Sprint("nobody ", i), abroad, tenOf5m)
		}
		if grown := heap() - before; grown > junk*20 {
			t.Errorf("%s: %d refused sign-ins take %d bytes", url, junk, grown)
		}
		// What is given back is gone as well: the API or we were at fault.
		before = heap()
		for i := range junk {
			if err := attempt(t, m, fmt.Sprint("somebody ", i), stranger(i), tenOf5m).GiveBack(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if grown := heap() - before; grown > junk*20 {
			t.Errorf("%s: %d sign-ins given back take %d bytes", url, junk, grown)
		}
		runtime.KeepAlive(m)
	}
}

// The fear: the bound of a store counts less than what things take, and so does not
// bound. Each kind of thing fills a store alone.
func TestBoundBoundsMemory(t *testing.T) {
	const most = 8 << 20
	ctx := context.Background()
	fill := map[string]func(s store.Store, m *session.Manager, i int) error{
		"sessions": func(_ store.Store, m *session.Manager, i int) error {
			in := ann("shop")
			in.Subject = fmt.Sprint("person ", i)
			_, _, err := m.Start(ctx, in)
			return err
		},
		"sessions of one person": func(_ store.Store, m *session.Manager, _ int) error {
			_, _, err := m.Start(ctx, ann("shop"))
			return err
		},
		"failed sign-ins": func(_ store.Store, m *session.Manager, i int) error {
			_, err := throttleOf(m).Attempt(ctx, "shop", fmt.Sprint("account ", i), stranger(i), tenOf5m)
			return err
		},
		"many failed sign-ins of some accounts": func(_ store.Store, m *session.Manager, i int) error {
			_, err := throttleOf(m).Attempt(ctx, "shop", fmt.Sprint("account ", i%100), netip.Addr{}, throttle.Limits{Account: 1 << 30, Window: time.Hour})
			return err
		},
		"marks": func(s store.Store, _ *session.Manager, i int) error {
			return s.Mark(ctx, fmt.Sprintf("coatcheck:f:{%064d}", i), time.Hour)
		},
		"pending sign-ins": func(_ store.Store, m *session.Manager, i int) error {
			_, err := pending.New(m.Vault()).Hold(ctx, pending.Step{Frontend: "shop", Account: fmt.Sprint("account ", i), Name: "otp", Fields: []string{"code"}})
			return err
		},
	}
	for name, one := range fill {
		st, err := open.Store(credential.NewSecret("memory://"), open.Options{MaxBytes: most})
		if err != nil {
			t.Fatal(err)
		}
		p := &place{&storetest.Place{}, t}
		m := p.over(st)
		before, n := heap(), 0
		for ; err == nil; n++ {
			err = one(st, m, n)
		}
		if !errors.Is(err, store.ErrFull) {
			t.Fatalf("%s: %v", name, err)
		}
		if grown := heap() - before; grown > most || n < 1000 {
			t.Errorf("%s: %d take %d bytes, the bound is %d", name, n, grown, most)
		}
		runtime.KeepAlive(m)
	}
}

// full is a store at its bound, with the tickets of those who are in.
func full(t *testing.T, url string) (store.Store, *session.Manager, []session.Ticket) {
	t.Helper()
	st, err := open.Store(credential.NewSecret(url), open.Options{MaxBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	m := (&place{&storetest.Place{}, t}).over(shared{Store: st})
	var tickets []session.Ticket
	for {
		ticket, _, err := m.Start(context.Background(), ann("shop"))
		if errors.Is(err, store.ErrFull) {
			return st, m, tickets
		}
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
	}
}

// The fear: a store at its bound signs people out who are in: their idle time is not
// extended, their rotated token is lost, the end of a session is not remembered.
func TestFullStoreKeepsThoseWhoAreIn(t *testing.T) {
	ctx := context.Background()
	for _, url := range []string{"memory://", "file://" + filepath.Join(t.TempDir(), "sessions.db")} {
		st, m, tickets := full(t, url)
		t.Cleanup(func() { _ = st.Close() })
		longer := strings.Repeat("longer-", 200) // than the token that it replaces
		for i, ticket := range tickets {
			s, err := m.Extend(ctx, "shop", ticket)
			if err != nil {
				t.Fatalf("%s: session %d not extended: %v", url, i, err)
			}
			s, err = m.Refresh(ctx, s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
				return tokens(longer, longer), nil
			})
			if err != nil || s.Generation != 2 {
				t.Fatalf("%s: session %d not renewed: %v", url, i, err)
			}
			if again := find(t, m, ticket); again.Credential.Value(credential.AccessToken).Reveal() != longer {
				t.Fatalf("%s: session %d lost its new token", url, i)
			}
			if may, err := m.Once(ctx, s, "401", time.Hour); !may || err != nil {
				t.Fatalf("%s: once: %v, %v", url, may, err)
			}
		}
		// Sign-ins are what is refused, and before anybody asks the API.
		if _, _, err := m.Start(ctx, ann("shop")); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: start: %v", url, err)
		}
		if _, err := throttleOf(m).Attempt(ctx, "shop", "bob", home, tenOf5m); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: attempt: %v", url, err)
		}
		for _, ticket := range tickets {
			if s, err := m.End(ctx, "shop", ticket, session.SignedOut); s == nil || err != nil {
				t.Fatalf("%s: end: %v, %v", url, s, err)
			}
			dead(t, m, "shop", ticket, session.SignedOut)
		}
		start(t, m, ann("shop"))
	}
}

// A file that holds more than the bound is read all the same: those people are in.
func TestFullFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	st, _, tickets := full(t, "file://"+path)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := open.Store(credential.NewSecret("file://"+path), open.Options{MaxBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	m := (&place{&storetest.Place{}, t}).over(shared{Store: st})
	defer st.Close()
	for _, ticket := range tickets {
		find(t, m, ticket)
	}
}
