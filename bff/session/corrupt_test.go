package session_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/storetest"
)

// Where a record's parts lie, as the package comment says.
const (
	stampEnd  = 13
	versionAt = 15
	keyIDAt   = 16
	keyIDEnd  = 20
)

// The fear: a record that someone or something has changed opens all the same,
// opens as something else, or ends the process.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	ticket, _ := start(t, m, ann("shop"))
	good := load(t, p, storeKey(ticket))
	for i := stampEnd; i < len(good); i++ {
		if i == versionAt || i >= keyIDAt && i < keyIDEnd {
			continue // not corrupt but another replica's business; see below
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << rand.IntN(8)
		put(t, p, storeKey(ticket), bad)
		fresh := p.manager() // remembers no ending
		dead(t, fresh, "shop", ticket, session.Expired)
		if load(t, p, storeKey(ticket)) != nil {
			t.Fatalf("byte %d: the corrupt record was not deleted", i)
		}
		_ = fresh.Close()
	}
}

func TestBadRecords(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		ticket, _ := start(t, m, ann("shop"))
		good := load(t, p, storeKey(ticket))
		_ = m.Close() // it hears of each removal, and would end again, now and then, what is put next
		cases := map[string][]byte{
			"one byte":              {1},
			"stamp only":            good[:stampEnd],
			"header only":           good[:33],
			"half":                  good[:len(good)/2],
			"last byte lost":        good[:len(good)-1],
			"a byte more":           append(bytes.Clone(good), 0),
			"garbage":               []byte(strings.Repeat("garbage!", 64)),
			"zeros":                 make([]byte, len(good)),
			"version 0":             append(append(bytes.Clone(good[:versionAt]), 0), good[versionAt+1:]...),
			"stamp of letters":      append([]byte("aaaaaaaaaaaaa"), good[stampEnd:]...),
			"stamp after the end":   append([]byte("9999999999999"), good[stampEnd:]...),
			"frontend of 255 bytes": append(append(bytes.Clone(good[:28]), 255), good[29:]...),
		}
		for name, bad := range cases {
			var lines logged
			put(t, p, storeKey(ticket), bad)
			fresh := p.manager(func(o *session.Options) { o.Log = lines.Logger() })
			dead(t, fresh, "shop", ticket, session.Expired)
			if load(t, p, storeKey(ticket)) != nil {
				t.Errorf("%s: not deleted", name)
			}
			if !strings.Contains(lines.String(), "security") {
				t.Errorf("%s: no security event", name)
			}
			_ = fresh.Close()
		}
	})
}

// A record that a newer program wrote is kept for it, and so is the cookie.
func TestNewerFormatIsLeftAlone(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		var lines logged
		m := p.manager(func(o *session.Options) { o.Log = lines.Logger() })
		ticket, _ := start(t, m, ann("shop"))
		newer := load(t, p, storeKey(ticket))
		newer[versionAt]++
		put(t, p, storeKey(ticket), newer)
		if _, err := m.Find(context.Background(), "shop", ticket); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("find: %v", err)
		}
		if _, err := m.End(context.Background(), "shop", ticket, session.SignedOut); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("end: %v", err)
		}
		if !bytes.Equal(load(t, p, storeKey(ticket)), newer) {
			t.Fatal("the record was changed")
		}
		if !strings.Contains(lines.String(), "newer version") {
			t.Fatalf("not logged: %s", lines.String())
		}
	})
}

// Something that is no string lies under the key.
func TestWrongTypeInRedis(t *testing.T) {
	p := redisPlace(t, startServer(t))
	m := p.manager()
	ticket, _ := start(t, m, ann("shop"))
	raw := (&server{p.Redis}).raw()
	defer raw.Close()
	ctx := context.Background()
	raw.Del(ctx, storeKey(ticket))
	raw.HSet(ctx, storeKey(ticket), "a", "b")
	dead(t, m, "shop", ticket, session.Expired)
	if raw.Exists(ctx, storeKey(ticket)).Val() != 0 {
		t.Fatal("not deleted")
	}
}

// FuzzRecord: whatever is in the store, it never opens and never panics.
func FuzzRecord(f *testing.F) {
	p := memoryPlace(f)
	m := p.manager()
	ticket, _ := start(f, m, ann("shop"))
	good := load(f, p, storeKey(ticket))
	f.Add(good[:len(good)-1])
	f.Add(append([]byte("1700000000000cc\x01"), good[keyIDAt:]...))
	f.Add(good[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		here := &place{&storetest.Place{Open: p.Open, Clock: p.Clock}, t}
		put(t, here, storeKey(ticket), b)
		fresh := here.manager() // remembers no ending
		s, err := fresh.Find(context.Background(), "shop", ticket)
		if s != nil || err == nil {
			t.Fatalf("opened: %q", b)
		}
	})
}

// The list survives entries that do not open.
func TestBadEntries(t *testing.T) {
	p := redisPlace(t, startServer(t))
	m := p.manager()
	_, s := start(t, m, ann("shop"))
	raw := (&server{p.Redis}).raw()
	defer raw.Close()
	ctx := context.Background()
	names := raw.Keys(ctx, "coatcheck:p:*").Val()
	if len(names) != 1 {
		t.Fatalf("indexes: %v", names)
	}
	good := raw.HGet(ctx, names[0], s.ID).Val()
	raw.HSet(ctx, names[0], "short", "x", "long", strings.Repeat("x", 200), "moved", good)
	entries, err := m.List(ctx, "shop", s.Subject)
	if err != nil || len(entries) != 1 || entries[0].ID != s.ID {
		t.Fatalf("list: %v, %v", entries, err)
	}
	if d := raw.TTL(ctx, names[0]).Val(); d <= 0 || d > 12*time.Hour+2*time.Minute {
		t.Fatalf("time to live of the index: %v", d)
	}
}
