package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/file"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/session/store/storetest"
)

func openFile(t *testing.T, path string) store.Store {
	t.Helper()
	return storetest.Open(t, "file://"+path, nil)
}

// The fear: a restart signs people out, or signs them in again.
func TestFileSurvivesAKill(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "sessions.db")
	st := openFile(t, path)
	m := manager(t, storetest.Shared{Store: st}, nil)
	kept, made := start(t, m, ann())
	ended, _ := start(t, m, ann())
	if _, err := m.End(ctx, "shop", ended, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Refresh(ctx, made, kept, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) { return tokens(), nil }); err != nil {
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
	defer st.Close()

	m = manager(t, openFile(t, copied), nil)
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
	c := storetest.NewClock(time.Now().Truncate(time.Millisecond))
	first := storetest.Open(t, "file://"+path, c)
	m := manager(t, storetest.Shared{Store: first}, c)
	ticket, _ := start(t, m, ann())
	idle, _ := start(t, m, ann())
	c.Advance(20 * time.Minute)
	find(t, m, ticket)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	c.Advance(20 * time.Minute)
	m = manager(t, storetest.Open(t, "file://"+path, c), c)
	if s := find(t, m, ticket); m.IdleLeft(s) != 30*time.Minute {
		t.Fatalf("idle left %v", m.IdleLeft(s))
	}
	dead(t, m, "shop", idle, session.Expired)
}

func TestFileThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used.db")
	st := openFile(t, used)
	defer st.Close()
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
		if _, err := open.Store(credential.NewSecret("file://"+c.path), open.Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A disk that is gone is a store that is away; nothing is answered that is not
// written.
func TestFileClosedUnderneath(t *testing.T) {
	st := openFile(t, filepath.Join(t.TempDir(), "sessions.db"))
	m := manager(t, storetest.Shared{Store: st}, nil)
	ticket, _ := start(t, m, ann())
	file.Break(st)
	if _, _, err := m.Start(context.Background(), ann()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("start: %v", err)
	}
	for range 2 {
		if _, err := m.End(context.Background(), "shop", ticket, session.SignedOut); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("end: %v", err)
		}
	}
}

// The fear: sign-ins that a full disk refuses pile up in memory.
func TestRefusedByTheDiskTakesNoMemory(t *testing.T) {
	const many = 5000
	st := openFile(t, filepath.Join(t.TempDir(), "sessions.db"))
	m := manager(t, storetest.Shared{Store: st}, nil)
	file.Break(st)
	before := heap()
	for range many {
		if _, _, err := m.Start(context.Background(), ann()); !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > many*20 {
		t.Errorf("%d sign-ins that were not stored take %d bytes", many, grown)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(st)
}
