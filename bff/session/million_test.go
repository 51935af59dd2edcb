package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/open"
)

// TestMillion measures whether a store's answers depend on how full it is, for
// docs/scaling.md. It does its work only when told where and how many at most:
//
//	COATCHECK_MILLION=redis://127.0.0.1:6379 COATCHECK_SESSIONS=1000000 \
//	  go test -run Million -v -timeout 1h ./bff/session
//
// It fills the databases 1, 2 and 3 of that Redis with 10 000, 100 000 and 1 000 000
// sessions and asks them in turn, so that a machine that slows down slows all three.
// Everything under the prefix "million" there is of this test.
func TestMillion(t *testing.T) {
	url := os.Getenv("COATCHECK_MILLION")
	if url == "" {
		return
	}
	most, err := strconv.Atoi(os.Getenv("COATCHECK_SESSIONS"))
	if err != nil {
		t.Fatal("COATCHECK_SESSIONS: how many?")
	}
	var all []*filled
	for i, size := range []int{10_000, 100_000, 1_000_000} {
		d := &filled{m: millionManager(t, fmt.Sprintf("%s/%d", url, i+1)), tickets: make([]session.Ticket, min(size, most))}
		begun := time.Now()
		fill(t, d.m, d.tickets, 0, len(d.tickets))
		t.Logf("%d sessions: %.0f sign-ins/s", len(d.tickets), float64(len(d.tickets))/time.Since(begun).Seconds())
		all = append(all, d)
	}
	for range 20 {
		for _, d := range all {
			d.lookups(t)
			d.revocations(t)
		}
	}
	for _, d := range all {
		t.Logf("%d sessions: lookup %s; revocation %s", len(d.tickets), quantiles(d.lookup), quantiles(d.revocation))
	}
}

// filled is a database with sessions, and how long its answers took.
type filled struct {
	m                  *session.Manager
	tickets            []session.Ticket
	lookup, revocation []time.Duration
}

func millionManager(t *testing.T, url string) *session.Manager {
	t.Helper()
	st, err := open.Store(credential.NewSecret(url), open.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.NewManager(st, session.Options{
		Keys: []credential.Secret{credential.NewSecret(strings.Repeat("k", 32))}, Prefix: "million", IdleTimeout: 2 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// realistic is a session with a 600-byte access token of three base64url segments
// and a refresh token.
func realistic(i int) session.Start {
	access := strings.Repeat("A", 40) + "." + strings.Repeat("Bc3d", 129) + "." + strings.Repeat("x", 43)[:42] + "A"
	values := map[string]credential.Secret{"access_token": credential.NewSecret(access), "refresh_token": credential.NewSecret(fmt.Sprintf("refresh-%040d", i))}
	return session.Start{
		Frontend: "shop", Subject: fmt.Sprintf("person-%08d", i), RefreshAble: true,
		User:       fmt.Appendf(nil, `{"id":"person-%08d","email":"person%d@example.com","name":"Person %d"}`, i, i, i),
		Credential: credential.New(values, time.Now().Add(time.Hour), time.Time{}),
		UserAgent:  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Address: "192.0.2.1",
	}
}

// fill signs in persons from to to, 32 at once.
func fill(t *testing.T, m *session.Manager, tickets []session.Ticket, from, to int) {
	t.Helper()
	var next atomic.Int64
	next.Store(int64(from))
	var work sync.WaitGroup
	for range 32 {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				ticket, _, err := m.Start(context.Background(), realistic(i))
				if err != nil {
					t.Errorf("sign-in %d: %v", i, err)
					return
				}
				tickets[i] = ticket
			}
		})
	}
	work.Wait()
}

func (d *filled) lookups(t *testing.T) {
	t.Helper()
	for range 500 {
		at := rand.IntN(len(d.tickets))
		begun := time.Now()
		if _, err := d.m.Find(context.Background(), "shop", d.tickets[at]); err != nil {
			t.Fatalf("lookup %d of %d: %v", at, len(d.tickets), err)
		}
		d.lookup = append(d.lookup, time.Since(begun))
	}
}

// revocations end persons' sessions, as an operator does, and begin them again.
func (d *filled) revocations(t *testing.T) {
	t.Helper()
	for range 50 {
		at := rand.IntN(len(d.tickets))
		begun := time.Now()
		n, err := d.m.EndAll(context.Background(), "shop", fmt.Sprintf("person-%08d", at))
		d.revocation = append(d.revocation, time.Since(begun))
		if err != nil || n != 1 {
			t.Fatalf("revocation %d: %d, %v", at, n, err)
		}
		if d.tickets[at], _, err = d.m.Start(context.Background(), realistic(at)); err != nil {
			t.Fatal(err)
		}
	}
}

func quantiles(took []time.Duration) string {
	slices.Sort(took)
	at := func(q float64) time.Duration {
		return took[int(q*float64(len(took)-1))].Round(time.Microsecond)
	}
	return fmt.Sprintf("p50 %s p95 %s p99 %s", at(0.5), at(0.95), at(0.99))
}
