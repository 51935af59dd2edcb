package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

func openFile(t *testing.T, path string) session.Store {
	t.Helper()
	return openStore(t, "file://"+path, nil)
}

// The fear: a restart signs people out, or signs them in again.
func TestFileSurvivesAKill(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "sessions.db")
	store := openFile(t, path)
	p := &place{t: t}
	m := p.over(shared{store})
	kept, made := start(t, m, ann("shop"))
	ended, _ := start(t, m, ann("shop"))
	if _, err := m.End(ctx, "shop", ended, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Refresh(ctx, made, kept, time.Minute, newAPI("refresh-1").refresh); err != nil {
		t.Fatal(err)
	}
	// What a kill leaves: the file as it is now, without the store's Close.
	copied := filepath.Join(t.TempDir(), "copy.db")
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(copied, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()

	m = p.over(openFile(t, copied))
	if s := find(t, m, kept); s.Generation != 2 || s.ID != made.ID {
		t.Fatalf("generation %d of %s", s.Generation, s.ID)
	}
	dead(t, m, "shop", ended, session.SignedOut)
	if entries := list(t, m); len(entries) != 1 || entries[0].ID != made.ID || entries[0].UserAgent != "Browser/1" {
		t.Fatalf("list: %v", entries)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode: %v, %v", info, err)
	}
}

// Extensions are written behind; Close writes the last of them.
func TestFileKeepsExtensions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	c := &clock{at: time.Now().Truncate(time.Millisecond)}
	p := &place{t: t, clock: c}
	first := openStore(t, "file://"+path, c)
	m := p.over(shared{first})
	ticket, _ := start(t, m, ann("shop"))
	idle, _ := start(t, m, ann("shop"))
	c.advance(20 * time.Minute)
	find(t, m, ticket)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	c.advance(20 * time.Minute)
	m = p.over(openStore(t, "file://"+path, c))
	if s := find(t, m, ticket); m.IdleLeft(s) != 30*time.Minute {
		t.Fatalf("idle left %v", m.IdleLeft(s))
	}
	dead(t, m, "shop", idle, session.Expired)
}

func TestFileThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used.db")
	store := openFile(t, used)
	defer store.Close()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("garbage", 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, says string }{
		"used by another": {used, "in use"},
		"garbage":         {garbage, "file"},
		"a directory":     {dir, "file"},
		"no directory":    {filepath.Join(dir, "none", "x.db"), "file"},
	} {
		if _, err := session.OpenStore(credential.NewSecret("file://"+c.path), session.StoreOptions{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A disk that is gone is a store that is away; nothing is answered that is not
// written.
func TestFileClosedUnderneath(t *testing.T) {
	store := openFile(t, filepath.Join(t.TempDir(), "sessions.db"))
	p := &place{t: t}
	m := p.over(shared{store})
	ticket, _ := start(t, m, ann("shop"))
	session.BreakFile(store)
	if _, _, err := m.Start(context.Background(), ann("shop")); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("start: %v", err)
	}
	for range 2 {
		if _, err := m.End(context.Background(), "shop", ticket, session.SignedOut); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("end: %v", err)
		}
	}
}
