package forward_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// echoAPI answers each call with its path, and counts how many are at work.
func echoAPI(t testing.TB, most *atomic.Int64) *wireAPI {
	var now atomic.Int64
	return serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(100 * time.Microsecond) // so that calls meet; less only makes the test see less
			now.Add(-1)
			p.say(ok(r.URL.Path))
		}
	})
}

// However many call, no more connections are opened than may be; all calls are
// answered, each with its own.
func TestPoolIsBounded(t *testing.T) {
	var most atomic.Int64
	api := echoAPI(t, &most)
	f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = 4, time.Minute })
	var callers sync.WaitGroup
	for n := range 64 {
		callers.Go(func() {
			for i := range 30 {
				path := fmt.Sprintf("/%d-%d", n, i)
				if got := get(f, path); got.body != path {
					t.Errorf("%s got %v", path, got)
				}
			}
		})
	}
	callers.Wait()
	if most.Load() > 4 || api.dialled() > 4 {
		t.Errorf("%d at once over %d connections", most.Load(), api.dialled())
	}
	if open, idle := f.Open(); open != idle || open > 4 {
		t.Errorf("%d open, %d idle", open, idle)
	}
}

// Who waits for a place does not wait without end, and gets the one that a broken
// connection leaves.
func TestPoolWaiting(t *testing.T) {
	release := make(chan bool)
	asked := make(chan bool, 1)
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			if r.URL.Path == "/held" {
				asked <- true
				<-release
				return // breaks off
			}
			p.say(ok("second"))
		}
	})
	f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = 1, 20*short })
	eventually(t, "a connection", func() bool { return get(f, "/").whole }) // opening one may take too long
	first := make(chan outcome, 1)
	go func() { first <- do(f, newCall("POST", "/held")) }()
	<-asked
	if got := get(f, "/"); !errors.Is(got.err, upstream.ErrBusy) {
		t.Errorf("got %v, want that no connection is free", got)
	}
	patient := newForwarder(t, api, func(o *forward.Options) { o.MaxConns = 1 })
	if got := get(patient, "/"); got.body != "second" {
		t.Error(got)
	}
	close(release)
	if got := <-first; !errors.Is(got.err, upstream.ErrUnreachable) {
		t.Error(got)
	}
	eventually(t, "a call once the place is free", func() bool { return get(f, "/").body == "second" })
}

// Whoever waits gets the place of a connection that breaks, and a connection that
// comes back, in the order in which they came.
func TestPoolHandsOver(t *testing.T) {
	for name, says := range map[string]string{"breaks": "", "comes back": ok("first")} {
		t.Run(name, func(t *testing.T) {
			asked, release := make(chan bool, 1), make(chan bool)
			api := serveWire(t, func(p *wirePeer) {
				for r := p.request(); r != nil; r = p.request() {
					if r.URL.Path != "/first" {
						p.say(ok(r.URL.Path))
						continue
					}
					asked <- true
					<-release
					if says == "" {
						return
					}
					p.say(says)
				}
			})
			f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = 1, time.Minute })
			var callers sync.WaitGroup
			callers.Go(func() { do(f, newCall("POST", "/first")) })
			<-asked
			for i := range 10 {
				callers.Go(func() {
					path := fmt.Sprint("/", i)
					if got := get(f, path); got.body != path {
						t.Errorf("%s got %v", path, got)
					}
				})
			}
			time.Sleep(5 * time.Millisecond) // most of them wait by now; fewer only make the test see less
			close(release)
			within(t, time.Minute, "all were served", callers.Wait)
		})
	}
}

// The connection used last is used first, those that are too many or too old are
// closed, and Close closes the rest.
func TestPoolIdle(t *testing.T) {
	t.Parallel()
	var most atomic.Int64
	api := echoAPI(t, &most)
	const timeout = 40 * short
	var f *forward.Forwarder
	for late := true; late; { // a busy machine may let the timeout pass: then again
		f = newForwarder(t, api, func(o *forward.Options) { o.MaxIdle, o.IdleTimeout = 3, timeout })
		dialled, begun := api.dialled(), time.Now()
		answers := make([]forward.Response, 6)
		for i := range answers {
			if err := f.Do(newCall("GET", "/"), &answers[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range answers {
			_ = answers[i].Close()
		}
		open, idle := f.Open()
		if late = time.Since(begun) >= timeout; late {
			continue
		}
		if open != 3 || idle != 3 {
			t.Errorf("%d open, %d idle; want 3", open, idle)
		}
		// One caller keeps one connection busy; the others grow old and are closed. If the
		// machine keeps the caller from calling, that one grows old as well.
		last, longest := begun, time.Duration(0)
		eventually(t, "the unused are closed", func() bool {
			if got := get(f, "/"); !got.whole {
				t.Fatal(got)
			}
			longest, last = max(longest, time.Since(last)), time.Now()
			open, _ := f.Open()
			return open == 1
		})
		late = longest >= timeout/2
		if n := api.dialled() - dialled; n != 6 && !late {
			t.Errorf("%d connections, want 6; %v between two calls at most", n, longest)
		}
	}
	eventually(t, "all are closed", func() bool { open, _ := f.Open(); return open == 0 })
	get(f, "/")
	f.Close()
	if open, _ := f.Open(); open != 0 {
		t.Errorf("%d open behind Close", open)
	}
	if got := get(f, "/"); !errors.Is(got.err, upstream.ErrUnreachable) {
		t.Errorf("a closed forwarder: %v", got)
	}
}

// A call at work when the forwarder is closed finishes; its connection is not kept.
func TestPoolCloseLetsFinish(t *testing.T) {
	asked, release := make(chan bool), make(chan bool)
	api := serveWire(t, func(p *wirePeer) {
		for p.request() != nil {
			asked <- true
			<-release
			p.say(ok("done"))
		}
	})
	f := newForwarder(t, api)
	got := make(chan outcome, 1)
	go func() { got <- get(f, "/") }()
	<-asked
	f.Close()
	close(release)
	if o := <-got; o.body != "done" {
		t.Error(o)
	}
	if open, _ := f.Open(); open != 0 {
		t.Errorf("%d open", open)
	}
}

// rest is how long a connection is promised to rest after an answer that has no body by rule.
const rest = 100 * time.Millisecond

// A connection rests after an answer that has no body by rule, and is used again then.
func TestPoolRest(t *testing.T) {
	var answered, shortest atomic.Int64 // when the last answer was given; the shortest time from one to the next request
	api := serveWire(t, func(p *wirePeer) {
		for p.request() != nil {
			gap := time.Now().UnixNano() - answered.Load()
			for least := shortest.Load(); gap < least && !shortest.CompareAndSwap(least, gap); least = shortest.Load() {
			}
			answered.Store(time.Now().UnixNano())
			p.say("HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	var f *forward.Forwarder
	for took := rest; took >= rest; { // on a busy machine one may have rested: then again
		f = newForwarder(t, api)
		before, begun := api.dialled(), time.Now()
		for range 3 {
			if got := get(f, "/"); got.status != 204 {
				t.Fatal(got)
			}
		}
		took = time.Since(begun)
		if n := api.dialled() - before; n != 3 && took < rest {
			t.Errorf("%d connections in %v, want 3: none had rested", n, took)
		}
	}
	before := api.dialled()
	time.Sleep(3 * rest / 2) // the rest is a time, there is nothing else to wait for
	for range 3 {
		if got := get(f, "/"); got.status != 204 {
			t.Fatal(got)
		}
	}
	if n := api.dialled() - before; n != 0 {
		t.Errorf("%d more connections: all had rested", n)
	}
	if open, idle := f.Open(); open != 3 || idle != 3 {
		t.Errorf("%d open, %d idle", open, idle)
	}
	// Where there is no other place, nobody waits for the rest to end.
	one := newForwarder(t, api, func(o *forward.Options) { o.MaxConns = 1 })
	shortest.Store(int64(time.Hour))
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 25 {
				if got := get(one, "/"); got.status != 204 {
					t.Error(got)
				}
			}
		})
	}
	callers.Wait()
	if least := time.Duration(shortest.Load()); least >= rest {
		t.Errorf("%v between two calls at least: they waited", least)
	}
}
