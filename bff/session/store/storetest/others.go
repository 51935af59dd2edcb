package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/session/store"
)

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
			retry, _, err := s.Count(ctx, key, fmt.Sprint("attempt ", i), 5, time.Hour)
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
		if retry, _, err := s.Count(ctx, other, "one", 1, time.Hour); err != nil || retry != 0 {
			t.Errorf("again: %s, %v", retry, err)
		}
	}
	if retry, _, err := s.Count(ctx, other, "two", 1, time.Hour); err != nil || retry == 0 {
		t.Errorf("beyond the limit: %s, %v", retry, err)
	}
	if err := s.Uncount(ctx, other, "one"); err != nil {
		t.Error(err)
	}
	if retry, _, err := s.Count(ctx, other, "two", 1, time.Hour); err != nil || retry != 0 {
		t.Errorf("after one was taken back: %s, %v", retry, err)
	}
}

// eventsStayOpen: an event that nobody decided may still be taken back, others are told.
func eventsStayOpen(t *testing.T, s store.Store) {
	ctx, key := context.Background(), newKey("t:a")
	isOpen := func(want bool) {
		t.Helper()
		if retry, open, err := s.Count(ctx, key, "late", 2, time.Hour); err != nil || retry == 0 || open != want {
			t.Errorf("retry in %s, open %v, %v", retry, open, err)
		}
	}
	for _, id := range []string{"one", "two"} {
		if retry, open, err := s.Count(ctx, key, id, 2, time.Hour); err != nil || retry != 0 || open {
			t.Errorf("retry in %s, open %v, %v", retry, open, err)
		}
	}
	isOpen(true)
	for _, id := range []string{"one", "nobody"} {
		if err := s.Decide(ctx, key, id); err != nil {
			t.Error(err)
		}
	}
	isOpen(true)
	for range 2 { // twice is as good as once
		if err := s.Decide(ctx, key, "two"); err != nil {
			t.Error(err)
		}
	}
	isOpen(false)
	if retry, _, err := s.Count(ctx, key, "one", 2, time.Hour); err != nil || retry != 0 {
		t.Errorf("one that is decided is counted again: %s, %v", retry, err)
	}
	if err := s.Uncount(ctx, key, "one"); err != nil {
		t.Error(err)
	}
	if retry, _, err := s.Count(ctx, key, "late", 2, time.Hour); err != nil || retry != 0 {
		t.Errorf("after one that was decided was taken back: %s, %v", retry, err)
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
		if retry, _, err := s.Count(ctx, count, fmt.Sprint(keys.Add(1)), 1, time.Hour); err != nil || retry != 0 {
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
