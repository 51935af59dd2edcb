package forward_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
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
	var begun time.Time
	for range 10 {
		begun = time.Now()
		if err := w.ask("/"); !errors.Is(err, upstream.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	refused(t, begun, func() error { return w.ask("/") })
	if n := w.opened.Load(); n != 1 {
		t.Fatalf("opened %d times", n)
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
	eventually(t, "a connection", func() bool { return w.ask("/") == nil }) // opening one may take too long
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
	for rested := true; rested; {
		if err := w.ask("/fine"); err != nil {
			t.Fatal(err)
		}
		var begun time.Time
		for i := range 10 {
			begun = time.Now()
			if err := w.ask(fmt.Sprint("/silent?", i), hurried); !errors.Is(err, upstream.ErrTimeout) {
				t.Fatal(err)
			}
		}
		before := w.Stats() // each of them ended its connection, so that who goes out dials
		err := w.ask("/silent?more", hurried)
		after := w.Stats()
		if rested = time.Since(begun) >= forward.BreakerRest; rested {
			continue // by right it is asked again
		}
		if !errors.Is(err, forward.ErrOpen) || after.Dialled != before.Dialled || !after.BreakerOpen {
			t.Errorf("the silent path: %v, %d more connections", err, after.Dialled-before.Dialled)
		}
	}
	if w.opened.Load() != w.closed.Load()+1 {
		t.Errorf("opened %d times, closed %d times", w.opened.Load(), w.closed.Load())
	}
	if err := w.ask("/fine"); err != nil {
		t.Errorf("another path: %v", err)
	}
	if w.Stats().BreakerOpen || w.closed.Load() != w.opened.Load() {
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
	for leftAlone(t, w) != 20 { // who is late is let through by right
		w = observe(t, forward.Options{Dialer: dialTo(api.url())})
	}
	speaks.Store(true)
	eventually(t, "the API is found", func() bool { return w.ask("/") == nil })
	for range 20 {
		if err := w.ask("/"); err != nil {
			t.Fatal(err)
		}
	}
}

// leftAlone makes ten calls to an API that is silent, and returns how many of twenty more were
// refused while it is promised to be left alone.
func leftAlone(t *testing.T, w *observed) (refused int) {
	t.Helper()
	var begun time.Time
	for range 10 {
		begun = time.Now()
		if err := w.ask("/", hurried); !errors.Is(err, upstream.ErrTimeout) {
			t.Fatal(err)
		}
	}
	dialled := w.Stats().Dialled // each of them ended its connection, so that who goes out dials
	for refused < 20 {
		err := w.ask("/", hurried)
		more := w.Stats().Dialled - dialled
		if time.Since(begun) >= forward.BreakerRest {
			break
		}
		if !errors.Is(err, forward.ErrOpen) || more != 0 {
			t.Fatalf("%v, %d more connections", err, more)
		}
		refused++
	}
	return refused
}
