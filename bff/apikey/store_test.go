package apikey_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/rig"
)

// TestEveryStoreKeepsItsWord: one suite over all of them.
func TestEveryStoreKeepsItsWord(t *testing.T) {
	t.Run("memory", func(t *testing.T) { suite(t, &apikey.Memory{}) })
	t.Run("redis", func(t *testing.T) { suite(t, apikey.NewRedis(rig.NewScripts(t), "test")) })
}

func suite(t *testing.T, s apikey.Store) {
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Millisecond)
	version := func() uint64 {
		t.Helper()
		v, err := s.Version(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := version(); v != 0 {
		t.Errorf("version %d of an empty store", v)
	}
	a, b, c := apikey.New(), apikey.New(), apikey.New()
	record := func(k apikey.Key) apikey.Record {
		return apikey.Record{ID: k.ID, Caller: "excel", Label: "ä\"", Hash: k.Hash, CreatedAt: now, ExpiresAt: now.Add(time.Hour), Life: time.Hour}
	}
	if err := errors.Join(s.Add(ctx, record(a), 2), s.Add(ctx, record(b), 2)); err != nil || version() != 2 {
		t.Fatal(err, version())
	}
	if err := s.Add(ctx, record(c), 2); !errors.Is(err, apikey.ErrFull) || version() != 2 {
		t.Errorf("a full store: %v", err)
	}
	if err := s.Rotate(ctx, a.ID, now, record(c), 2); !errors.Is(err, apikey.ErrFull) {
		t.Errorf("a full store: %v", err)
	}
	if err := s.Rotate(ctx, "nobody", now, record(c), 9); !errors.Is(err, apikey.ErrUnknown) {
		t.Errorf("rotated nothing: %v", err)
	}
	if err := s.Rotate(ctx, a.ID, now.Add(time.Minute), record(c), 9); err != nil || version() != 3 {
		t.Errorf("rotate: %v", err)
	}
	if err := s.Use(ctx, map[string]time.Time{a.ID: now, "nobody": now}); err != nil || version() != 3 {
		t.Errorf("use: %v", err)
	}
	got := byID(t, s)
	if r := got[a.ID]; len(got) != 3 || !r.ExpiresAt.Equal(now.Add(time.Minute)) || r.RotatedTo != c.ID || !r.LastUsed.Equal(now) || r.Hash != a.Hash || r.Label != "ä\"" {
		t.Errorf("%+v", got)
	}
	if r := got[c.ID]; !r.LastUsed.IsZero() || r.Life != time.Hour || !r.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", r)
	}
	if n, err := s.Remove(ctx, a.ID, "nobody", c.ID); n != 2 || err != nil || version() != 4 {
		t.Errorf("removed %d, %v", n, err)
	}
	if n, err := s.Remove(ctx, a.ID); n != 0 || err != nil || version() != 4 {
		t.Errorf("removed %d again, %v", n, err)
	}
	if err := s.Use(ctx, map[string]time.Time{a.ID: now}); err != nil || len(byID(t, s)) != 1 {
		t.Errorf("a use brought a record back: %v", err)
	}
	forgets(t, s)
}

// forgets: what ended longer ago than it is kept goes in one step, and nothing else,
// whatever ends the caller proposes.
func forgets(t *testing.T, s apikey.Store) {
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Millisecond)
	ends, kept := map[string]time.Time{}, map[string]bool{}
	for id := range byID(t, s) {
		kept[id] = true
	}
	for age, stays := range map[time.Duration]bool{-time.Hour: true, time.Minute: true, 59 * time.Minute: true, 61 * time.Minute: false, 1e5 * time.Hour: false} {
		k := apikey.New()
		ends[k.ID] = now.Add(-age)
		if stays {
			kept[k.ID] = true
		}
		if err := s.Add(ctx, apikey.Record{ID: k.ID, Caller: "excel", Hash: k.Hash, CreatedAt: now, ExpiresAt: ends[k.ID]}, 100); err != nil {
			t.Fatal(err)
		}
	}
	ends["nobody"] = now.Add(-1e5 * time.Hour)
	before, err := s.Version(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0} {
		n, err := s.Prune(ctx, ends, time.Hour)
		if v, _ := s.Version(ctx); n != want || err != nil || v != before+1 {
			t.Errorf("step %d: forgot %d, %v, version %d after %d", i, n, err, v, before)
		}
	}
	left := byID(t, s)
	for id := range kept {
		if _, there := left[id]; !there {
			t.Errorf("forgot %s, which ended at %s", id, ends[id])
		}
	}
	if len(left) != len(kept) {
		t.Errorf("%d records are left of %d", len(left), len(kept))
	}
}

func byID(t *testing.T, s apikey.Store) map[string]apikey.Record {
	t.Helper()
	_, records, err := s.All(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]apikey.Record{}
	for _, r := range records {
		m[r.ID] = r
	}
	return m
}
