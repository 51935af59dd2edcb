package forward_test

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// short is a limit that a test lets pass. Where a call must come before such a limit, a
// busy machine may let it pass as well: then the test tries again, or the limit is a
// multiple that no machine reaches.
const short = 50 * time.Millisecond

// Whoever is silent for too long is left; nobody else is.
func TestSilence(t *testing.T) {
	t.Run("no head", func(t *testing.T) {
		api, _, gone := silentAPI(t, "")
		call := newCall("GET", "/")
		call.HeaderTimeout = short
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, upstream.ErrTimeout) {
			t.Error(got)
		}
		<-gone
	})
	t.Run("head in drops", func(t *testing.T) {
		api := serveWire(t, func(p *wirePeer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\nA: ")
			for {
				if _, err := io.WriteString(p.Conn, "x"); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond) // a pace: slower is late all the same
			}
		})
		call := newCall("GET", "/")
		call.HeaderTimeout = short
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, upstream.ErrTimeout) {
			t.Error(got)
		}
	})
	t.Run("interims do not lengthen it", func(t *testing.T) {
		api := serveWire(t, func(p *wirePeer) {
			p.head()
			for range 9 {
				p.say("HTTP/1.1 103 Early Hints\r\n\r\n")
				time.Sleep(10 * time.Millisecond) // a pace: slower is late all the same
			}
			p.drain()
		})
		call := newCall("GET", "/")
		call.HeaderTimeout = short
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, upstream.ErrTimeout) {
			t.Error(got)
		}
	})
	for _, says := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\n\r\nhello",
	} {
		t.Run("inside a body", func(t *testing.T) {
			api, _, gone := silentAPI(t, says)
			call := newCall("GET", "/")
			call.IdleTimeout = short
			if got := do(newForwarder(t, api), call); !errors.Is(got.err, upstream.ErrTimeout) || got.body != "hello" {
				t.Error(got)
			}
			<-gone
		})
	}
	t.Run("taking a body", func(t *testing.T) {
		stop := make(chan bool)
		defer close(stop)
		api := serveWire(t, func(p *wirePeer) { p.head(); <-stop })
		call := newCall("POST", "/")
		call.Body, call.BodyLength, call.IdleTimeout = &pattern{size: 1 << 40}, -1, short
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, upstream.ErrTimeout) {
			t.Error(got)
		}
	})
	t.Run("taking a body in memory", func(t *testing.T) {
		stop := make(chan bool)
		defer close(stop)
		api := serveWire(t, func(p *wirePeer) { <-stop })
		call := newCall("POST", "/")
		call.Buffered, call.HeaderTimeout = make([]byte, 32<<20), short
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, upstream.ErrTimeout) {
			t.Error(got)
		}
	})
}

// The time for the head begins with the last byte of the request, the silence in a
// body with its last byte: a long call in small steps is no silence.
func TestSlowIsNotSilent(t *testing.T) {
	t.Parallel()
	const steps, limit = 25, time.Second // 25 steps last longer than the limit
	for {
		var steady pace
		begun := time.Now()
		api := serveWire(t, func(p *wirePeer) {
			for p.request() != nil {
				p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				for range steps {
					steady.step()
					p.say("1\r\nx\r\n")
				}
				p.say("0\r\n\r\n")
			}
		})
		call := newCall("POST", "/")
		call.Body, call.BodyLength = &slowly{steps, &steady}, -1
		call.HeaderTimeout, call.IdleTimeout = limit, limit
		got := do(newForwarder(t, api), call)
		if got.body == strings.Repeat("x", steps) && got.whole {
			return
		}
		if lost := time.Since(begun) - steady.took(); lost < limit/2 {
			t.Fatalf("%v, and no more than %v were lost", got, lost)
		}
	}
}

// pace makes steps of 50 ms and knows how long all of them should have taken. What was
// spent beyond that a busy machine took: it may be silent for longer than anybody allows,
// which proves nothing.
type pace struct{ steps atomic.Int64 }

func (p *pace) step() {
	time.Sleep(short)
	p.steps.Add(1)
}

func (p *pace) took() time.Duration { return time.Duration(p.steps.Load()) * short }

type slowly struct {
	left int
	pace *pace
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	s.pace.step()
	p[0] = 'x'
	return 1, nil
}

// A deadline of one call is none of the next one's on the same connection.
func TestDeadlinesDoNotOutlive(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			if r.URL.Path == "/slow" {
				time.Sleep(3 * short) // longer than the deadline of the call before; more makes no difference
			}
			p.say(ok(r.body))
		}
	})
	f := newForwarder(t, api)
	connections, late := 1, 0
	for range 3 {
		eventually(t, "a call in time", func() bool {
			call := newCall("GET", "/")
			call.HeaderTimeout, call.IdleTimeout = short, short
			got := do(f, call)
			if !got.whole && !errors.Is(got.err, upstream.ErrTimeout) {
				t.Fatal(got)
			}
			if !got.whole {
				connections++
			}
			return got.whole
		})
		if got := get(f, "/slow"); !got.whole {
			t.Fatal(got)
		}
		for again := true; again; {
			stream := newCall("POST", "/slow")
			stream.Body, stream.BodyLength = strings.NewReader("x"), -1
			got := do(f, stream)
			if got.body != "x" {
				t.Fatal(got)
			}
			if again = got.late; again {
				late++
			}
		}
	}
	if n := api.dialled(); n < connections || n > connections+late {
		t.Errorf("%d connections, want %d; %d calls were late", n, connections, late)
	}
}

// noSuchName is no name that DNS could have (RFC 1035 section 2.3.4: labels of 63 bytes at
// most), so that no server has to be asked, which some machines have not, or wait for.
var noSuchName = strings.Repeat("x", 64) + ".invalid"

func TestUnreachable(t *testing.T) {
	closed, err := forward.New(forward.Options{Dialer: dialTo(&url.URL{Scheme: "http", Host: "127.0.0.1:" + freeport.Text(t)})})
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Close()
	if got := get(closed, "/"); !errors.Is(got.err, upstream.ErrUnreachable) {
		t.Error(got)
	}
	f, err := forward.New(forward.Options{Dialer: dialTo(deafAddress(t), short)})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := get(f, "/"); !errors.Is(got.err, upstream.ErrTimeout) {
		t.Error(got)
	}
	if _, err := forward.New(forward.Options{}); err == nil {
		t.Error("no dialer is accepted")
	}
	unknown, _ := forward.New(forward.Options{Dialer: dialTo(&url.URL{Scheme: "http", Host: noSuchName})})
	defer unknown.Close()
	if got := get(unknown, "/"); got.err == nil {
		t.Error(got)
	}
}

// Nor does a body's rolling deadline of one call stand for one of the next: a body
// that takes longer than its head may is given its time.
func TestRollingDoesNotOutlive(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			if r.URL.Path == "/large" {
				p.say(ok(strings.Repeat("x", 1<<20)))
				continue
			}
			p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
			time.Sleep(4 * short) // longer than the head may take; more makes no difference
			p.say("0\r\n\r\n")
		}
	})
	f := newForwarder(t, api)
	for _, streamed := range []bool{false, true} {
		if got := get(f, "/large"); !got.whole {
			t.Fatal(got)
		}
		eventually(t, "a head in time", func() bool {
			call := newCall("POST", "/slow")
			call.HeaderTimeout = 2 * short
			if streamed {
				call.Body, call.BodyLength = strings.NewReader("x"), -1
			}
			got := do(f, call)
			if got.status == 0 && errors.Is(got.err, upstream.ErrTimeout) {
				return false // a busy machine
			}
			if got.body != "x" || !got.whole {
				t.Errorf("streamed %v: %v", streamed, got)
			}
			return true
		})
	}
}
