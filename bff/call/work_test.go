package call_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"coatcheck/bff/call"
)

// TestWork: whoever waits does so for all that is going on, and work may begin behind a Wait
// that found none.
func TestWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w call.Work
		w.Wait()
		begun := 3
		for range begun {
			w.Begin()
		}
		var over atomic.Int64
		for range 2 {
			go func() { w.Wait(); over.Add(1) }()
			synctest.Wait()
		}
		for i := range begun {
			if over.Load() != 0 {
				t.Errorf("over with %d left", begun-i)
			}
			w.End()
			synctest.Wait()
		}
		if n := over.Load(); n != 2 {
			t.Errorf("%d of 2 heard of the end", n)
		}
		for range 100 { // whether it finds the work or not, it returns
			waited := make(chan struct{})
			go func() { w.Wait(); close(waited) }()
			w.Begin()
			w.End()
			<-waited
		}
	})
}
