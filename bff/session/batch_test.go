package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestEachGetsItsOwn: of many questions that go to Redis together each gets its own
// answer, also where others find nothing or give up.
func TestEachGetsItsOwn(t *testing.T) {
	st := openStore(t, startServer(t).URL(), nil)
	for n := range 50 {
		if err := st.Create(context.Background(), fmt.Sprintf("coatcheck:s:{%d}", n), []byte(fmt.Sprint("value ", n)), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() { // ends with its questions
			for range 200 {
				n := rand.IntN(60)
				ctx, cancel := context.WithCancel(context.Background())
				leaves := rand.IntN(10) == 0
				if leaves {
					cancel()
				}
				got, err := st.Load(ctx, fmt.Sprintf("coatcheck:s:{%d}", n))
				cancel()
				want := ""
				if n < 50 {
					want = fmt.Sprint("value ", n)
				}
				if err == nil && string(got) != want || err != nil && !leaves {
					t.Errorf("key %d: %q, %v", n, got, err)
				}
			}
		})
	}
	callers.Wait()
}
