package lastgood_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/upstream/oidc/lastgood"
)

// TestAgain: of those who miss a key at once, one fetches, and all have what it fetched.
// Within the allowance's time nobody fetches again.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		v := lastgood.New(time.Now, func(context.Context) (int, error) {
			time.Sleep(time.Second)
			fetched++
			return fetched, nil
		})
		if got, err := v.Get(t.Context()); got != 1 || err != nil {
			t.Fatal(got, err)
		}
		var a lastgood.Allowance
		allowed := func() bool { return a.Take(time.Now()) }
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := v.Again(t.Context(), allowed); err != nil {
					t.Error(err)
				}
				if got, err := v.Get(t.Context()); got != 2 || err != nil {
					t.Error(got, err)
				}
			})
		}
		all.Wait()
		if err := v.Again(t.Context(), allowed); err != nil || fetched != 2 {
			t.Error(fetched, err)
		}
		time.Sleep(30 * time.Second)
		if err := v.Again(t.Context(), allowed); err != nil || fetched != 3 {
			t.Error(fetched, err)
		}
	})
}

// TestHangingProvider: while the last good value serves, nobody waits for a new one for longer
// than a second, and the fetch goes on.
func TestHangingProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		v := lastgood.New(time.Now, func(context.Context) (int, error) {
			if fetched++; fetched > 1 {
				time.Sleep(lastgood.Timeout / 2)
			}
			return fetched, nil
		})
		if got, err := v.Get(t.Context()); got != 1 || err != nil {
			t.Fatal(got, err)
		}
		time.Sleep(2 * time.Hour)
		begun := time.Now()
		if got, err := v.Get(t.Context()); got != 1 || err != nil || time.Since(begun) != time.Second {
			t.Errorf("%d, %v after %v", got, err, time.Since(begun))
		}
		time.Sleep(lastgood.Timeout)
		if got, err := v.Get(t.Context()); got != 2 || err != nil {
			t.Errorf("once it is there: %d, %v", got, err)
		}
	})
}

// TestPanicIsAFailedFetch: it ends neither the process nor the waiting of anybody.
func TestPanicIsAFailedFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sound := false
		v := lastgood.New(time.Now, func(context.Context) (int, error) {
			if !sound {
				panic("MARKED document")
			}
			return 1, nil
		})
		if _, err := v.Get(t.Context()); err == nil || strings.Contains(err.Error(), "MARKED") {
			t.Error(err)
		}
		sound = true
		time.Sleep(time.Second)
		if got, err := v.Get(t.Context()); got != 1 || err != nil {
			t.Error(got, err)
		}
	})
}

// TestAgainJoins: whoever finds a fetch under way waits for it, and spends nothing of the
// allowance: the next one who misses a key may fetch.
func TestAgainJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := lastgood.New(time.Now, func(context.Context) (int, error) {
			time.Sleep(time.Second)
			return 1, nil
		})
		go func() { _, _ = v.Get(t.Context()) }()
		synctest.Wait()
		asked := 0
		if err := v.Again(t.Context(), func() bool { asked++; return true }); err != nil || asked != 0 {
			t.Error(asked, err)
		}
		if got, good := v.Last(); got != 1 || !good {
			t.Error(got, good)
		}
	})
}
