package pending_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/storetest"
)

var (
	keyA = credential.NewSecret("a-key-of-the-tests-0123456789abcdef")
	keyC = credential.NewSecret("c-key-of-the-tests-0123456789abcdef")
)

// steps is one replica's.
func steps(t testing.TB, p *storetest.Place, key credential.Secret, log *slog.Logger) pending.Steps {
	t.Helper()
	o := session.Options{Keys: []credential.Secret{key}, Log: log}
	if p.Clock != nil {
		o.Now = p.Clock.Now
	}
	m, err := session.NewManager(p.Open(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return pending.New(m.Vault())
}

// storeKey is where the contract says that a ticket's pending sign-in lies.
func storeKey(ticket session.Ticket) string {
	sum := sha256.Sum256([]byte("coatcheck/v1/key" + ticket.Reveal()))
	return "coatcheck:q:{" + hex.EncodeToString(sum[:]) + "}"
}

func load(t testing.TB, p *storetest.Place, key string) []byte {
	t.Helper()
	s := p.Open()
	defer s.Close()
	value, err := s.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(value)
}

func put(t testing.TB, p *storetest.Place, key string, value []byte) {
	t.Helper()
	s := p.Open()
	defer s.Close()
	if _, _, err := s.Remove(context.Background(), key, store.Removal{Reason: "expired"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(context.Background(), key, value, time.Hour); err != nil {
		t.Fatal(err)
	}
}

const versionAt = 15 // of a record's format version; see package session

// A pending sign-in that does not open is judged as a session is.
func TestPendingThatDoesNotOpen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		ctx := context.Background()
		var lines storetest.Log
		m := steps(t, p, keyA, lines.Logger())
		held, err := m.Hold(ctx, pending.Step{Frontend: "shop", Account: "ann", Name: "otp", Fields: []string{"code"}})
		if err != nil {
			t.Fatal(err)
		}
		key := storeKey(held)
		good := load(t, p, key)
		newer := bytes.Clone(good)
		newer[versionAt]++
		put(t, p, key, newer)
		if _, err := m.Find(ctx, "shop", held); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("of a newer version: %v", err)
		}
		put(t, p, key, good)
		var over session.EndedError
		if _, err := steps(t, p, keyC, lines.Logger()).Find(ctx, "shop", held); !errors.As(err, &over) {
			t.Errorf("under an unknown key: %v", err)
		}
		if _, err := m.Find(ctx, "shop", held); err != nil {
			t.Errorf("it was not left alone: %v", err)
		}
		put(t, p, key, good[:len(good)-1])
		if _, err := m.Find(ctx, "shop", held); !errors.As(err, &over) {
			t.Errorf("corrupt: %v", err)
		}
		if load(t, p, key) != nil || !strings.Contains(lines.String(), "record_corrupt") {
			t.Errorf("a corrupt one was kept, or not told: %s", lines.String())
		}
	})
}
