package forward_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"coatcheck/upstream"
)

// What is sent a second time, and what never is (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
// The API reads the second request of its first connection and then breaks off.
func TestRetry(t *testing.T) {
	closes := func(p *wirePeer) { _ = p.Close() }
	resets := func(p *wirePeer) { p.reset() }
	begins := func(p *wirePeer) { p.say("HTTP/1.1 2"); _ = p.Close() }
	hints := func(p *wirePeer) { p.say("HTTP/1.1 103 Early Hints\r\n\r\n"); _ = p.Close() }
	garbles := func(p *wirePeer) { p.say("HTTP/1.1 999 Odd\r\n\r\n"); _ = p.Close() }
	for _, c := range []struct {
		name, method, buffered, stream string
		breaks                         func(p *wirePeer)
		sent                           int // how often the request arrived
		err                            error
	}{
		{name: "GET", method: "GET", breaks: closes, sent: 2},
		{name: "GET, reset", method: "GET", breaks: resets, sent: 2},
		{name: "HEAD", method: "HEAD", breaks: closes, sent: 2},
		{name: "OPTIONS", method: "OPTIONS", breaks: closes, sent: 2},
		{name: "DELETE", method: "DELETE", breaks: closes, sent: 2},
		{name: "DELETE with body", method: "DELETE", buffered: "x", breaks: closes, sent: 2},
		{name: "PUT", method: "PUT", breaks: closes, sent: 2},
		{name: "PUT with body", method: "PUT", buffered: "body", breaks: resets, sent: 2},
		{name: "PUT with large body", method: "PUT", buffered: strings.Repeat("x", 60<<10), breaks: closes, sent: 2},
		{name: "PUT, streamed", method: "PUT", stream: "body", breaks: closes, sent: 1, err: upstream.ErrUnreachable},
		{name: "POST", method: "POST", breaks: closes, sent: 1, err: upstream.ErrUnreachable},
		{name: "POST, reset", method: "POST", breaks: resets, sent: 1, err: upstream.ErrUnreachable},
		{name: "POST with body", method: "POST", buffered: "body", breaks: closes, sent: 1, err: upstream.ErrUnreachable},
		{name: "POST, streamed", method: "POST", stream: "body", breaks: closes, sent: 1, err: upstream.ErrUnreachable},
		{name: "PATCH", method: "PATCH", buffered: "body", breaks: closes, sent: 1, err: upstream.ErrUnreachable},
		{name: "GET, an answer begun", method: "GET", breaks: begins, sent: 1, err: upstream.ErrUnreachable},
		{name: "GET, an interim answer", method: "GET", breaks: hints, sent: 1, err: upstream.ErrUnreachable},
		{name: "GET, a bad answer", method: "GET", breaks: garbles, sent: 1, err: upstream.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var bodies []string
			api := serveWire(t, func(p *wirePeer) {
				if p.index == 0 {
					p.request()
					p.say(ok("first"))
				}
				for r := p.request(); r != nil; r = p.request() {
					mu.Lock()
					bodies = append(bodies, r.body)
					mu.Unlock()
					if p.index == 0 {
						c.breaks(p)
						return
					}
					p.say("HTTP/1.1 200 OK\r\nX-Second: yes\r\nContent-Length: 0\r\n\r\n")
				}
			})
			f := newForwarder(t, api)
			if got := get(f, "/"); got.body != "first" {
				t.Fatal(got)
			}
			call := newCall(c.method, "/")
			call.Buffered = []byte(c.buffered)
			if c.stream != "" {
				call.Body, call.BodyLength = strings.NewReader(c.stream), -1
			}
			got := do(f, call)
			if !errors.Is(got.err, c.err) || c.err == nil && (got.status != 200 || !strings.Contains(got.fields, "X-Second")) {
				t.Errorf("got %v, want error %v", got, c.err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(bodies) != c.sent {
				t.Errorf("arrived %d times, want %d", len(bodies), c.sent)
			}
			for _, b := range bodies {
				if b != c.buffered+c.stream {
					t.Errorf("arrived with body %.20q", b)
				}
			}
		})
	}
}

// A new connection that breaks off is not tried again, nor is a second one.
func TestRetryOnlyOnce(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		if p.index == 0 {
			p.request()
			p.say(ok("first"))
		}
		p.request()
	})
	f := newForwarder(t, api)
	if got := get(f, "/"); got.body != "first" {
		t.Fatal(got)
	}
	if got := get(f, "/"); !errors.Is(got.err, upstream.ErrUnreachable) {
		t.Error(got)
	}
	if n := api.dialled(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	if got := get(f, "/"); !errors.Is(got.err, upstream.ErrUnreachable) {
		t.Error(got)
	}
	if n := api.dialled(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	if open, _ := f.Open(); open != 0 {
		t.Errorf("%d connections open", open)
	}
}

// A connection that the API closed while it was idle is noticed before use, so
// that also calls that may not be repeated go through.
func TestClosedWhileIdle(t *testing.T) {
	for name, end := range map[string]func(p *wirePeer){
		"closed": func(p *wirePeer) { _ = p.Close() },
		"reset":  func(p *wirePeer) { p.reset() },
		"bytes":  func(p *wirePeer) { p.say(ok("evil")) },
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan bool)
			answered := make(chan bool)
			api := serveWire(t, func(p *wirePeer) {
				for p.request() != nil {
					p.say(ok("good"))
					<-answered
					end(p)
					ended <- true
				}
			})
			f := newForwarder(t, api)
			for i := range 20 {
				call := newCall("POST", "/")
				call.Buffered = []byte("body")
				if got := do(f, call); got.body != "good" || !got.whole {
					t.Fatalf("call %d: %v", i, got)
				}
				answered <- true
				<-ended
			}
		})
	}
}
