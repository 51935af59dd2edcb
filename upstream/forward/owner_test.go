package forward_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// rememberingAPI answers with the number of the connection and whom it has served.
func rememberingAPI(t testing.TB) *wireAPI {
	return serveWire(t, func(p *wirePeer) {
		served := ""
		for r := p.request(); r != nil; r = p.request() {
			served += r.Header.Get("X-Who")
			p.say(ok(fmt.Sprint(p.index, served)))
		}
	})
}

func as(f *forward.Forwarder, who string) outcome {
	call := newCall("GET", "/")
	call.Owner = who
	call.Head = append(call.Head, "X-Who: "+who+"\r\n"...)
	return do(f, call)
}

func ownerOnly(o *forward.Options) { o.OwnerOnly = true }

// A kept connection serves its owner again and nobody else; those without a name are
// one owner. Without OwnerOnly anybody gets it.
func TestOwnerOnly(t *testing.T) {
	f := newForwarder(t, rememberingAPI(t), ownerOnly)
	for i, row := range [][2]string{{"a", "0a"}, {"b", "1b"}, {"a", "0aa"}, {"", "2"}, {"b", "1bb"}, {"", "2"}, {"a", "0aaa"}} {
		if got := as(f, row[0]); got.body != row[1] {
			t.Errorf("call %d: %q, want %q", i, got.body, row[1])
		}
	}
	anybody := newForwarder(t, rememberingAPI(t))
	as(anybody, "a")
	if got := as(anybody, "b"); got.body != "0ab" {
		t.Errorf("without OwnerOnly: %q", got.body)
	}
}

// Where all places are taken, another one's idle connection is closed for the call, and
// one at work that comes back is not handed to somebody else.
func TestOwnerOnlyFull(t *testing.T) {
	f := newForwarder(t, rememberingAPI(t), ownerOnly, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = 1, time.Minute })
	for i, who := range []string{"a", "b", "a", "", "a"} {
		if got := as(f, who); got.body != fmt.Sprint(i, who) {
			t.Errorf("call %d: %q", i, got.body)
		}
	}
	var callers sync.WaitGroup
	for n := range 8 {
		who := string(rune('a' + n))
		callers.Go(func() {
			for range 20 {
				got := as(f, who)
				for _, c := range got.body {
					if c >= 'a' && c <= 'z' && string(c) != who {
						t.Errorf("%s got %q", who, got.body)
					}
				}
				if got.err != nil {
					t.Error(got)
				}
			}
		})
	}
	callers.Wait()
	if s := f.Stats(); s.Open != 1 || s.Idle != 1 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// The connections of people who have left make room for those of people who call.
func TestOwnerOnlyIdle(t *testing.T) {
	f := newForwarder(t, rememberingAPI(t), ownerOnly, func(o *forward.Options) { o.MaxIdle = 2 })
	for i, row := range [][2]string{{"a", "0a"}, {"b", "1b"}, {"c", "2c"}, {"c", "2cc"}, {"b", "1bb"}, {"a", "3a"}, {"b", "1bbb"}, {"c", "4c"}} {
		if got := as(f, row[0]); got.body != row[1] {
			t.Errorf("call %d: %q, want %q", i, got.body, row[1])
		}
	}
	if s := f.Stats(); s.Idle != 2 || s.Open != 2 {
		t.Errorf("%+v", s)
	}
}

// An answer that nobody asked for, and that comes when the connection has been taken
// for the next call already, reaches the same person only.
func TestLateExtraAnswer(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		last := ""
		for r := p.request(); r != nil; r = p.request() {
			if last != "" {
				p.say(ok("extra of " + last)) // it met this request on the way
			}
			last = r.Header.Get("X-Who")
			p.say(ok("answer to " + last))
		}
	})
	for _, only := range []bool{false, true} {
		f := newForwarder(t, api, func(o *forward.Options) { o.OwnerOnly = only })
		as(f, "a")
		got := as(f, "b")
		if crossed := got.body == "extra of a"; crossed == only || only && got.body != "answer to b" {
			t.Errorf("OwnerOnly %v: b got %v", only, got)
		}
	}
	if err := as(newForwarder(t, api, ownerOnly), "a").err; errors.Is(err, upstream.ErrInvalid) {
		t.Error(err)
	}
}
