package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/session/store"
)

// suite is what the contracts of package store promise, one test for each promise.
var suite = map[string]func(t *testing.T, s store.Store){
	"a record comes back as it was":             comesBack,
	"a record that is there is not made anew":   staysAsItIs,
	"no write brings a record back":             staysGone,
	"a write needs its generation":              needsGeneration,
	"a touch moves the stamp and nothing else":  touchMovesTheStamp,
	"one of many owners holds the lease":        oneHolder,
	"of many removals one is done":              oneRemoval,
	"the last extension of many records":        lastExtensions,
	"a table counts its entries":                tableCounts,
	"attempts beyond the limit are not counted": limitHolds,
	"attempts are open until they are decided":  eventsStayOpen,
	"marks and counts are forgotten":            forgets,
	"events reach those who listen":             eventsArrive,
	"records are counted, about":                estimates,
}

// Run holds a backend against the contracts of package store. open makes stores over the
// same bytes; every test uses keys of its own.
func Run(t *testing.T, open func() store.Store) {
	for name, test := range suite {
		t.Run(name, func(t *testing.T) {
			s := open()
			defer s.Close()
			test(t, s)
		})
	}
}

var keys atomic.Int64

// newKey is a key that no other test uses.
func newKey(kind string) string { return fmt.Sprintf("coatcheck:%s:{test-%d}", kind, keys.Add(1)) }

// record is a value of a generation, with its stamp.
func record(at time.Time, generation uint64, rest string) []byte {
	return append(store.AppendStamp(nil, at), sealed(generation, rest)...)
}

// sealed is what follows the stamp: the generation is at [store.GenerationAt].
func sealed(generation uint64, rest string) []byte {
	b := make([]byte, store.GenerationAt-store.StampLen)
	return append(binary.BigEndian.AppendUint64(b, generation), rest...)
}

func create(t *testing.T, s store.Store, generation uint64) (string, []byte) {
	t.Helper()
	key, value := newKey("s"), record(time.UnixMilli(1_700_000_000_000), generation, "sealed")
	if err := s.Create(context.Background(), key, value, time.Hour); err != nil {
		t.Fatal(err)
	}
	return key, value
}

// holds asserts what is stored under key; nil for nothing.
func holds(t *testing.T, s store.Store, key string, want []byte) {
	t.Helper()
	if got, err := s.Load(context.Background(), key); err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		t.Errorf("%s holds %q, %v; want %q", key, got, err, want)
	}
}

func comesBack(t *testing.T, s store.Store) {
	key, value := create(t, s, 1)
	holds(t, s, key, value)
	holds(t, s, newKey("s"), nil)
	if now, err := s.Clock(context.Background()); err != nil || now.IsZero() {
		t.Errorf("clock: %v, %v", now, err)
	}
}

func staysAsItIs(t *testing.T, s store.Store) {
	key, value := create(t, s, 3)
	if err := s.Create(context.Background(), key, record(time.Now(), 1, "another"), time.Hour); err != nil {
		t.Fatal(err)
	}
	holds(t, s, key, value)
	if _, outcome, err := s.Remove(context.Background(), key, store.Removal{Reason: "expired"}); err != nil || outcome != store.Done {
		t.Fatal(outcome, err)
	}
	next := record(time.Now(), 1, "the next")
	if err := s.Create(context.Background(), key, next, time.Hour); err != nil {
		t.Fatal(err)
	}
	holds(t, s, key, next)
}

func staysGone(t *testing.T, s store.Store) {
	ctx := context.Background()
	key, value := create(t, s, 1)
	removed, outcome, err := s.Remove(ctx, key, store.Removal{Reason: "revoked"})
	if err != nil || outcome != store.Done || !bytes.Equal(removed, value) {
		t.Errorf("remove: %q, %v, %v", removed, outcome, err)
	}
	if why, err := s.Tombstone(ctx, key); err != nil || why != "revoked" {
		t.Errorf("tombstone: %q, %v", why, err)
	}
	if why, err := s.Tombstone(ctx, newKey("s")); err != nil || why != "" {
		t.Errorf("tombstone of nothing: %q, %v", why, err)
	}
	if found, err := s.Touch(ctx, key, store.Touch{Idle: time.Minute, Ends: time.Now().Add(time.Hour)}); err != nil || !found.Seen.IsZero() {
		t.Errorf("touch: %v, %v", found, err)
	}
	if outcome, err := s.Replace(ctx, key, store.Swap{At: 1, Sealed: sealed(2, "new")}); err != nil || outcome != store.Gone {
		t.Errorf("replace: %v, %v", outcome, err)
	}
	if held, value, err := s.Lease(ctx, key, "me", time.Minute); err != nil || !held || value != nil {
		t.Errorf("lease: %v, %q, %v", held, value, err)
	}
	holds(t, s, key, nil)
}

func needsGeneration(t *testing.T, s store.Store) {
	ctx := context.Background()
	key, value := create(t, s, 7)
	for _, at := range []uint64{6, 8} {
		if outcome, err := s.Replace(ctx, key, store.Swap{At: at, Sealed: sealed(9, "new")}); err != nil || outcome != store.OtherGeneration {
			t.Errorf("replace at %d: %v, %v", at, outcome, err)
		}
		if _, outcome, err := s.Remove(ctx, key, store.Removal{At: at, Reason: "upstream"}); err != nil || outcome != store.OtherGeneration {
			t.Errorf("remove at %d: %v, %v", at, outcome, err)
		}
	}
	holds(t, s, key, value)
	if outcome, err := s.Replace(ctx, key, store.Swap{At: 7, Sealed: sealed(8, "new")}); err != nil || outcome != store.Done {
		t.Errorf("replace: %v, %v", outcome, err)
	}
	want := append(bytes.Clone(value[:store.StampLen]), sealed(8, "new")...)
	holds(t, s, key, want)
	if store.GenerationOf(want) != 8 {
		t.Error("the generation is elsewhere")
	}
	if removed, outcome, err := s.Remove(ctx, key, store.Removal{At: 8, Reason: "upstream"}); err != nil || outcome != store.Done || !bytes.Equal(removed, want) {
		t.Errorf("remove: %q, %v, %v", removed, outcome, err)
	}
}

func touchMovesTheStamp(t *testing.T, s store.Store) {
	ctx := context.Background()
	key, value := create(t, s, 1)
	now, err := s.Clock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	table, id := newKey("p"), "one"
	if _, err := s.AddEntry(ctx, table, id, []byte("entry"), time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		tables  []string
		indexed bool
	}{{nil, false}, {[]string{newKey("p")}, false}, {[]string{newKey("p"), table}, true}} {
		found, err := s.Touch(ctx, key, store.Touch{Idle: time.Minute, Ends: now.Add(time.Hour), Tables: x.tables, ID: id})
		if err != nil || found.Seen.Before(now.Truncate(time.Millisecond)) || found.Indexed != x.indexed {
			t.Fatalf("touch: %+v, %v", found, err)
		}
		holds(t, s, key, append(store.AppendStamp(nil, found.Seen), value[store.StampLen:]...))
	}
	if found, err := s.Touch(ctx, key, store.Touch{Idle: time.Minute, Ends: now.Add(-time.Second)}); err != nil || !found.Seen.IsZero() {
		t.Errorf("touch beyond the end: %v, %v", found, err)
	}
}

func oneHolder(t *testing.T, s store.Store) {
	ctx := context.Background()
	key, value := create(t, s, 1)
	var holders atomic.Int64
	var work sync.WaitGroup
	for i := range 16 {
		work.Go(func() {
			held, got, err := s.Lease(ctx, key, fmt.Sprint("owner ", i), time.Minute)
			if err != nil || !bytes.Equal(got, value) {
				t.Errorf("lease: %q, %v", got, err)
			}
			if held {
				holders.Add(1)
			}
		})
	}
	work.Wait()
	if holders.Load() != 1 {
		t.Errorf("%d holders", holders.Load())
	}
	other, _ := create(t, s, 1)
	lease := func(owner string, want bool) {
		t.Helper()
		if held, _, err := s.Lease(ctx, other, owner, time.Minute); err != nil || held != want {
			t.Errorf("lease of %s: %v, %v", owner, held, err)
		}
	}
	lease("a", true)
	lease("a", true)
	if err := s.Unlease(ctx, other, "b", store.Note{}); err != nil {
		t.Error(err)
	}
	lease("b", false)
	if outcome, err := s.Replace(ctx, other, store.Swap{At: 1, Sealed: sealed(2, "new"), Owner: "a"}); err != nil || outcome != store.Done {
		t.Error(outcome, err)
	}
	lease("b", true)
	if err := s.Unlease(ctx, other, "b", store.Note{}); err != nil {
		t.Error(err)
	}
	lease("a", true)
}

func oneRemoval(t *testing.T, s store.Store) {
	key, _ := create(t, s, 1)
	var done atomic.Int64
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			_, outcome, err := s.Remove(context.Background(), key, store.Removal{Reason: "signed_out"})
			if err != nil {
				t.Error(err)
			}
			if outcome == store.Done {
				done.Add(1)
			}
		})
	}
	work.Wait()
	if done.Load() != 1 {
		t.Errorf("done %d times", done.Load())
	}
}
