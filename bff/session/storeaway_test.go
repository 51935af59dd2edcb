package session_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/session/store/storetest"
)

// everyCall makes each call of a manager that asks the store.
func everyCall(m *session.Manager, ticket session.Ticket, s *session.Session) map[string]error {
	ctx := context.Background()
	errs := map[string]error{"ping": m.Ping(ctx)}
	_, _, errs["start"] = m.Start(ctx, ann("shop"))
	_, errs["find"] = m.Find(ctx, "shop", ticket)
	_, errs["look"] = m.Peek(ctx, "shop", ticket)
	_, errs["extend"] = m.Extend(ctx, "shop", ticket)
	_, errs["list"] = m.List(ctx, "shop", s.Subject)
	_, errs["list for"] = m.ListFor(ctx, s)
	errs["end one"] = m.EndOne(ctx, "shop", s.Subject, s.ID)
	_, errs["end others"] = m.EndOthers(ctx, s)
	_, errs["end all"] = m.EndAll(ctx, "shop", s.Subject)
	_, errs["end"] = m.End(ctx, "shop", ticket, session.SignedOut)
	_, errs["attempt"] = throttleOf(m).Attempt(ctx, "shop", "ann", netip.MustParseAddr("192.0.2.1"), tenOf5m)
	_, errs["once"] = m.Once(ctx, s, "x", time.Minute)
	_, errs["refresh"] = m.Refresh(ctx, s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return nil, errors.New("the API was asked without a lease")
	})
	return errs
}

func wantUnavailable(t *testing.T, errs map[string]error) {
	t.Helper()
	for name, err := range errs {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", name, err)
		}
	}
}

// The fear: a store that blinks signs people out, or the program does not start
// without it.
func TestRedisAbsentAtStart(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := redisPlace(t, s)
	m := p.manager(func(o *session.Options) { o.NearCache = time.Second })
	other := redisPlace(t, startServer(t))
	ticket, made := start(t, other.manager(), ann("shop"))
	wantUnavailable(t, everyCall(m, ticket, made)) // each says so; one that hangs ends with the tests
	s.Start()
	eventually(t, "the manager finds its store", func() bool { return m.Ping(context.Background()) == nil })
	ticket, _ = start(t, m, ann("shop"))
	find(t, m, ticket)
}

func TestRedisKilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--appendonly", "yes", "--appendfsync", "no")
	p := redisPlace(t, s)
	m := p.manager()
	ticket, made := start(t, m, ann("shop"))
	gone, _ := start(t, m, ann("shop"))
	if _, err := m.End(context.Background(), "shop", gone, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	wantUnavailable(t, everyCall(m, ticket, made))
	s.Start()
	eventually(t, "the manager finds its store", func() bool { return m.Ping(context.Background()) == nil })
	if got := find(t, m, ticket); got.ID != made.ID {
		t.Fatalf("another session: %s", got.ID)
	}
	dead(t, m, "shop", gone, session.SignedOut)
}

// What Redis answers when it is full, loading, read-only or does not know us is
// no end of a session.
func TestRedisThatRefuses(t *testing.T) {
	ctx := context.Background()
	s := startServer(t)
	p := redisPlace(t, s)
	raw := s.raw()
	defer raw.Close()
	m := p.manager()
	ticket, made := start(t, m, ann("shop"))

	raw.ConfigSet(ctx, "maxmemory", "1") // OOM for writes, reads go on
	if _, _, err := m.Start(ctx, ann("shop")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("start without memory: %v", err)
	}
	if _, err := m.Extend(ctx, "shop", ticket); err != nil && !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("extend without memory: %v", err)
	}
	if s := find(t, m, ticket); s.ID != made.ID {
		t.Errorf("find without memory: %v", s)
	}
	raw.ConfigSet(ctx, "maxmemory", "0")

	raw.Do(ctx, "REPLICAOF", "127.0.0.1", freeport.Number(t)) // READONLY for writes
	if _, _, err := m.Start(ctx, ann("shop")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("start at a read-only server: %v", err)
	}
	if _, err := m.End(ctx, "shop", ticket, session.SignedOut); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("end at a read-only server: %v", err)
	}
	raw.Do(ctx, "REPLICAOF", "NO", "ONE")

	raw.ScriptFlush(ctx) // NOSCRIPT
	if _, err := m.Extend(ctx, "shop", ticket); err != nil {
		t.Errorf("extend after the scripts were forgotten: %v", err)
	}

	raw.Do(ctx, "ACL", "SETUSER", storetest.User, "off")
	raw.ClientKillByFilter(ctx, "USER", storetest.User)
	for name, err := range everyCall(m, ticket, made) { // WRONGPASS
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s without permission: %v", name, err)
		}
	}
	raw.Do(ctx, "ACL", "SETUSER", storetest.User, "on")
	find(t, m, ticket)
}

// A failed extension is no failed call while the session is known to live.
func TestTouchFailsSoftly(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := redisPlace(t, s)
	m := p.manager(func(o *session.Options) { o.NearCache, o.IdleTimeout = time.Hour, 20*time.Second })
	heard(t, p.manager(), m) // the first subscription empties the near cache
	ticket, _ := start(t, m, ann("shop"))
	s.Kill()
	eventually(t, "an extension is due", func() bool {
		found, err := m.Peek(context.Background(), "shop", ticket)
		return err == nil && m.IdleLeft(found) < 17900*time.Millisecond // a tenth has passed
	})
	find(t, m, ticket)
}

func TestStoreURLs(t *testing.T) {
	good := []string{
		"memory://", "file:///var/lib/coatcheck/sessions.db", "redis://localhost", "redis://localhost:6379/2", "rediss://u:p@h:1/",
		"redis://:secret@h", "redis://u:p%40ss%2Fword@h:6380/0", "redis://[::1]:6379", "redis://[::1]",
		"redis-sentinel://h1,h2:26380/mymaster/0", "redis-sentinel://u:p@h1/m?sentinel_username=s&sentinel_password=x",
		"redis-cluster://h1,h2:7000,h3", "rediss-cluster://u:p@h1", "rediss://h?server_name=x",
	}
	bad := []string{
		"", "localhost:6379", "http://h", "memory://x", "file://relative.db", "file://", "redis://", "redis://h:0", "redis://h:99999",
		"redis://h:x", "redis://h/x", "redis://h/-1", "redis://h1,h2", "redis://u:%zz@h", "redis://h?x=1", "redis://h?ca=a&ca=b",
		"redis-sentinel://h1,h2", "redis-sentinel://h1/m/x", "redis-cluster://h1,,h2", "redis-cluster://h1/3",
	}
	for _, url := range good {
		if err := open.Check(credential.NewSecret(url)); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range bad {
		if err := open.Check(credential.NewSecret(url)); err == nil {
			t.Errorf("%s: accepted", url)
		}
	}
}

// A store in memory is bounded, and nobody's session is thrown out for another's.
func TestMemoryIsBounded(t *testing.T) {
	st, err := open.Store(credential.NewSecret("memory://"), open.Options{MaxBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{&storetest.Place{}, t}
	m := p.over(st)
	var tickets []session.Ticket
	for {
		ticket, _, err := m.Start(context.Background(), ann("shop"))
		if errors.Is(err, store.ErrUnavailable) && errors.Is(err, store.ErrFull) {
			break
		}
		if err != nil || len(tickets) > 1000 {
			t.Fatalf("after %d sessions: %v", len(tickets), err)
		}
		tickets = append(tickets, ticket)
	}
	for _, ticket := range tickets {
		find(t, m, ticket)
	}
	for _, ticket := range tickets {
		if _, err := m.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
			t.Fatal(err)
		}
	}
	start(t, m, ann("shop"))
}
