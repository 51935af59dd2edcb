package forward_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/upstream/forward"
)

// Who waits for a place may leave at any moment: no place gets lost, and nobody who
// stays is forgotten. How many calls the API is at says nothing here: it may still be at one
// whose caller left, and whose place another has.
func TestWaitersLeave(t *testing.T) {
	api := echoAPI(t, new(atomic.Int64))
	f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = 2, time.Minute })
	var callers sync.WaitGroup
	for n := range 32 {
		callers.Go(func() {
			for i := range 40 {
				path := fmt.Sprintf("/%d-%d", n, i)
				call := newCall("GET", path)
				if n%2 == 1 {
					go func() { // ends at once
						time.Sleep(time.Duration(i*n%200) * time.Microsecond)
						call.Abort()
					}()
				}
				got := do(f, call)
				if left := n%2 == 1 && errors.Is(got.err, forward.ErrAborted); !left && got.body != path {
					t.Errorf("caller %d: %v", n, got)
				}
				if open, _ := f.Open(); open > 2 {
					t.Errorf("%d connections are open", open)
				}
			}
		})
	}
	callers.Wait()
	if s := f.Stats(); s.Open != s.Idle || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// Places are given in the order in which people came, and who left is passed over.
func TestWaitersInOrder(t *testing.T) {
	const people = 50
	came, release := make(chan struct{}), make(chan struct{})
	var order []string
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			if r.URL.Path == "/first" {
				close(came)
				<-release
			}
			order = append(order, r.URL.Path)
			p.say(ok(""))
		}
	})
	f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = 1, time.Minute })
	var callers sync.WaitGroup
	callers.Go(func() { get(f, "/first") })
	<-came
	want := []string{"/first"}
	for i := range people {
		call := newCall("GET", fmt.Sprint("/", i))
		before := f.Stats().Waiting
		callers.Go(func() { do(f, call) })
		eventually(t, "it waits", func() bool { return f.Stats().Waiting == before+1 })
		if i%5 == 0 { // the first in the line, and some in the middle
			call.Abort()
			eventually(t, "it left", func() bool { return f.Stats().Waiting == before })
			continue
		}
		want = append(want, fmt.Sprint("/", i))
	}
	close(release)
	callers.Wait()
	if !slices.Equal(order, want) {
		t.Errorf("served %q", order)
	}
}
