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
	"no write brings a record back":             staysGone,
	"a write needs its generation":              needsGeneration,
	"a touch moves the stamp and nothing else":  touchMovesTheStamp,
	"one of many owners holds the lease":        oneHolder,
	"of many removals one is done":              oneRemoval,
	"the last extension of many records":        lastExtensions,
	"a table counts its entries":                tableCounts,
	"attempts beyond the limit are not counted": limitHolds,
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

func lastExtensions(t *testing.T, s store.Store) {
	key, _ := create(t, s, 1)
	seen, err := s.Seen(context.Background(), []string{newKey("s"), key, newKey("s")})
	if err != nil || len(seen) != 3 || !seen[0].IsZero() || seen[1].UnixMilli() != 1_700_000_000_000 || !seen[2].IsZero() {
		t.Errorf("%v, %v", seen, err)
	}
}

func tableCounts(t *testing.T, s store.Store) {
	ctx, table := context.Background(), newKey("p")
	for i, id := range []string{"a", "b", "b", "c"} {
		if n, err := s.AddEntry(ctx, table, id, []byte{byte(i)}, time.Hour); err != nil || n != []int{1, 2, 2, 3}[i] {
			t.Errorf("entry %d of %d, %v", i, n, err)
		}
	}
	if err := s.DropEntries(ctx, table, "a", "none"); err != nil {
		t.Error(err)
	}
	if err := s.DropEntries(ctx, table); err != nil {
		t.Error(err)
	}
	got, err := s.Entries(ctx, table)
	if err != nil || len(got) != 2 || !bytes.Equal(got["b"], []byte{2}) || !bytes.Equal(got["c"], []byte{3}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := s.Entries(ctx, newKey("p")); err != nil || len(got) != 0 {
		t.Errorf("no table: %v, %v", got, err)
	}
}

func limitHolds(t *testing.T, s store.Store) {
	ctx, key := context.Background(), newKey("t:a")
	var counted atomic.Int64
	var work sync.WaitGroup
	for i := range 32 {
		work.Go(func() {
			retry, err := s.Count(ctx, key, fmt.Sprint("attempt ", i), 5, time.Hour)
			switch {
			case err != nil || retry < 0 || retry > time.Hour:
				t.Errorf("retry in %s, %v", retry, err)
			case retry == 0:
				counted.Add(1)
			}
		})
	}
	work.Wait()
	if counted.Load() != 5 {
		t.Errorf("%d counted, want 5", counted.Load())
	}
	other := newKey("t:a")
	for range 3 { // the same one is counted once
		if retry, err := s.Count(ctx, other, "one", 1, time.Hour); err != nil || retry != 0 {
			t.Errorf("again: %s, %v", retry, err)
		}
	}
	if retry, err := s.Count(ctx, other, "two", 1, time.Hour); err != nil || retry == 0 {
		t.Errorf("beyond the limit: %s, %v", retry, err)
	}
	if err := s.Uncount(ctx, other, "one"); err != nil {
		t.Error(err)
	}
	if retry, err := s.Count(ctx, other, "two", 1, time.Hour); err != nil || retry != 0 {
		t.Errorf("after one was taken back: %s, %v", retry, err)
	}
}

func forgets(t *testing.T, s store.Store) {
	ctx, mark, count := context.Background(), newKey("f"), newKey("t:a")
	is := func(want bool, keys ...string) {
		t.Helper()
		if got, err := s.Marked(ctx, keys...); err != nil || got != want {
			t.Errorf("marked: %v, %v", got, err)
		}
	}
	is(false)
	is(false, mark)
	if err := s.Mark(ctx, mark, time.Hour); err != nil {
		t.Error(err)
	}
	is(true, newKey("f"), mark)
	if err := s.Forget(ctx, mark); err != nil {
		t.Error(err)
	}
	is(false, mark)
	for range 2 {
		if retry, err := s.Count(ctx, count, fmt.Sprint(keys.Add(1)), 1, time.Hour); err != nil || retry != 0 {
			t.Errorf("count: %s, %v", retry, err)
		}
		if err := s.Forget(ctx, count); err != nil {
			t.Error(err)
		}
	}
}

func eventsArrive(t *testing.T, s store.Store) {
	ctx, leave := context.WithCancel(context.Background())
	heard, ready, left := make(chan string, 8), make(chan struct{}, 8), make(chan struct{})
	const channel = "coatcheck:ev"
	go func() { // ends with ctx
		defer close(left)
		s.Listen(ctx, channel, store.Listener{
			Message:     func(payload string) { heard <- payload },
			Gap:         func() { ready <- struct{}{} },
			Reconnected: func() {},
		})
	}()
	<-ready // without messages lost: from now on each arrives
	key, _ := create(t, s, 1)
	_, _, _ = s.Lease(ctx, key, "me", time.Minute)
	_ = s.Unlease(ctx, key, "not me", store.Note{Channel: channel, Payload: "never"})
	_ = s.Unlease(ctx, key, "me", store.Note{Channel: channel, Payload: "free"})
	_, _ = s.Replace(ctx, key, store.Swap{At: 2, Sealed: sealed(3, ""), Note: store.Note{Channel: channel, Payload: "never"}})
	_, _ = s.Replace(ctx, key, store.Swap{At: 1, Sealed: sealed(2, ""), Note: store.Note{Channel: channel, Payload: "renewed"}})
	_, _, _ = s.Remove(ctx, key, store.Removal{Reason: "revoked", Note: store.Note{Channel: channel, Payload: "ended"}})
	_, _, _ = s.Remove(ctx, key, store.Removal{Reason: "revoked", Note: store.Note{Channel: channel, Payload: "never"}})
	for _, want := range []string{"free", "renewed", "ended"} {
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s did not arrive", want)
		}
	}
	leave()
	<-left
}

func estimates(t *testing.T, s store.Store) {
	prefix := newKey("e")
	for i := range 20 {
		if err := s.Create(context.Background(), fmt.Sprint(prefix, i), record(time.Now(), 1, ""), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Estimate(context.Background(), func(key string) bool { return len(key) > len(prefix) && key[:len(prefix)] == prefix })
	if err != nil || n < 5 || n > 60 {
		t.Errorf("about %d, %v", n, err)
	}
}
