package forward_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// observed is a transport that notes what its breaker does.
type observed struct {
	*forward.Transport
	opened, closed atomic.Int64
}

func observe(t *testing.T, o forward.Options) *observed {
	t.Helper()
	if o.IdleTimeout == 0 {
		o.IdleTimeout = idleTimeout
	}
	w := &observed{}
	c, err := forward.NewTransport(o, func(open bool) {
		if open {
			w.opened.Add(1)
		} else {
			w.closed.Add(1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w.Transport = c
	return w
}

// ask makes one call; change, if given, changes it before.
func (w *observed) ask(path string, change ...func(*forward.Call)) error {
	call, ans := newCall("GET", path), &forward.Response{}
	for _, c := range change {
		c(call)
	}
	call.Sent = func() { call.Head = nil } // as whoever uses its memory again
	err := w.Do(call, ans)
	if err == nil {
		_ = ans.Close()
	}
	return err
}

func hurried(c *forward.Call) { c.HeaderTimeout = 20 * time.Millisecond }

// The call that finds the API again may be a slow one: it holds nobody up. Until its
// connection stands, others wait for it instead of being turned away.
func TestBreakerTrialIsNotHeld(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{ours.pair(t, "api")}}
	var up atomic.Bool
	dialled, shake := make(chan struct{}), make(chan struct{})
	came, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	api := serveWire(t, func(p *wirePeer) {
		if !up.Load() {
			return // before any handshake: nobody listens
		}
		first.Do(func() { close(dialled); <-shake })
		secure := tls.Server(p.Conn, config)
		p.Conn, p.in = secure, bufio.NewReader(secure)
		for r := p.request(); r != nil; r = p.request() {
			if r.URL.Path == "/slow" {
				close(came)
				<-release
			}
			p.say(ok(""))
		}
	})
	w := observe(t, forward.Options{Dialer: dialTLS(api.url().Host, &tls.Config{RootCAs: ours.pool}, time.Minute)})
	for range 10 {
		if err := w.ask("/"); !errors.Is(err, upstream.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if err := w.ask("/"); !errors.Is(err, forward.ErrOpen) || w.opened.Load() != 1 {
		t.Fatalf("after ten: %v", err)
	}
	up.Store(true)
	slow := make(chan error, 1)
	go func() { // ends with the answer
		err := w.ask("/slow")
		for errors.Is(err, forward.ErrOpen) {
			time.Sleep(10 * time.Millisecond)
			err = w.ask("/slow")
		}
		slow <- err
	}()
	<-dialled
	var others sync.WaitGroup
	for i := range 6 {
		others.Go(func() {
			if err := w.ask("/"); err != nil {
				t.Errorf("call %d beside the handshake: %v", i, err)
			}
		})
	}
	eventually(t, "they wait", func() bool { return w.Stats().Open == 7 })
	close(shake)
	<-came
	others.Wait()
	for i := range 6 {
		if err := w.ask("/"); err != nil {
			t.Errorf("call %d beside the slow one: %v", i, err)
		}
	}
	close(release)
	if err := <-slow; err != nil {
		t.Error(err)
	}
	if w.opened.Load() != 1 || w.closed.Load() != 1 || w.Stats().BreakerOpen {
		t.Errorf("opened %d, closed %d", w.opened.Load(), w.closed.Load())
	}
}

// A full pool is this side's doing: calls that find no place say so, none of them
// counts against the API, and the next that finds one is served.
func TestFullPoolIsNoFailure(t *testing.T) {
	came, release := make(chan struct{}, 1), make(chan struct{})
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			if r.URL.Path == "/held" {
				came <- struct{}{}
				<-release
			}
			p.say(ok(""))
		}
	})
	w := observe(t, forward.Options{Dialer: dialTo(api.url(), time.Second), MaxConns: 1})
	held := make(chan error, 1)
	go func() { held <- w.ask("/held") }() // ends with the answer
	<-came
	var callers sync.WaitGroup
	for range 25 {
		callers.Go(func() {
			if err := w.ask("/"); !errors.Is(err, upstream.ErrBusy) || errors.Is(err, upstream.ErrTimeout) {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if s := w.Stats(); s.Busy != 25 || s.BreakerOpen || s.Waiting != 0 || w.opened.Load() > 0 || s.Open != 1 {
		t.Errorf("%+v, opened %d times", s, w.opened.Load())
	}
	close(release)
	if err := <-held; err != nil {
		t.Error(err)
	}
	if err := w.ask("/"); err != nil {
		t.Errorf("with a place free: %v", err)
	}
}

// One path that never answers closes no other: neither where it is silent nor where it
// breaks off. Itself it is left alone after ten calls, until the API is heard of again.
func TestOneBadPathClosesNoOther(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			switch r.URL.Path {
			case "/silent":
				p.drain()
				return
			case "/breaks":
				return
			}
			p.say(ok(""))
		}
	})
	w := observe(t, forward.Options{Dialer: dialTo(api.url())})
	for range 30 {
		if err := w.ask("/breaks", func(c *forward.Call) { c.Idempotent = false }); !errors.Is(err, upstream.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		if err := w.ask(fmt.Sprint("/silent?", i), hurried); !errors.Is(err, upstream.ErrTimeout) {
			t.Fatal(err)
		}
	}
	dialled := w.Stats().Dialled // each of them ended its connection, so that who goes out dials
	if err := w.ask("/silent?more", hurried); !errors.Is(err, forward.ErrOpen) || w.Stats().Dialled != dialled || !w.Stats().BreakerOpen || w.opened.Load() != 1 {
		t.Errorf("the silent path: %v, %d more connections", err, w.Stats().Dialled-dialled)
	}
	if err := w.ask("/fine"); err != nil {
		t.Errorf("another path: %v", err)
	}
	if w.Stats().BreakerOpen || w.closed.Load() != 1 {
		t.Error("the API answered, and is still taken for dead")
	}
	if err := w.ask("/silent", hurried); !errors.Is(err, upstream.ErrTimeout) {
		t.Errorf("the silent path, once the API was heard: %v", err)
	}
}

// An API that says nothing at all is left alone, and found again by one call at a time.
func TestSilentAPI(t *testing.T) {
	t.Parallel()
	var speaks atomic.Bool
	api := serveWire(t, func(p *wirePeer) {
		for p.request() != nil {
			if !speaks.Load() {
				p.drain()
				return
			}
			p.say(ok(""))
		}
	})
	w := observe(t, forward.Options{Dialer: dialTo(api.url())})
	for range 10 {
		if err := w.ask("/", hurried); !errors.Is(err, upstream.ErrTimeout) {
			t.Fatal(err)
		}
	}
	dialled := w.Stats().Dialled // each of them ended its connection, so that who goes out dials
	for range 20 {
		if err := w.ask("/", hurried); !errors.Is(err, forward.ErrOpen) {
			t.Fatal(err)
		}
	}
	if more := w.Stats().Dialled - dialled; more != 0 {
		t.Errorf("%d of them went out", more)
	}
	speaks.Store(true)
	eventually(t, "the API is found", func() bool { return w.ask("/") == nil })
	for range 20 {
		if err := w.ask("/"); err != nil {
			t.Fatal(err)
		}
	}
}

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
