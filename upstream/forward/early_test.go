package forward_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// An answer that comes while the body is still being sent is an answer, whether
// the API goes on listening, closes, or resets; and the connection is not used again.
func TestEarlyAnswer(t *testing.T) {
	const early = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big"
	for name, after := range map[string]func(p *wirePeer){
		"and goes on reading":        func(p *wirePeer) { p.drain() },
		"and stops reading":          func(p *wirePeer) { <-p.stop },
		"and closes":                 func(*wirePeer) {},
		"and resets":                 func(p *wirePeer) { <-p.heard; p.reset() },
		"and says close, and closes": func(*wirePeer) {},
	} {
		for _, length := range []int64{1 << 40, -1} {
			t.Run(fmt.Sprint(name, length), func(t *testing.T) {
				stop, heard := make(chan bool), make(chan bool)
				defer close(stop)
				api := serveWire(t, func(p *wirePeer) {
					p.stop, p.heard = stop, heard
					if p.head() == "" {
						return
					}
					if p.index > 0 {
						p.say(ok("next"))
						return
					}
					if strings.Contains(name, "says close") {
						p.say(strings.Replace(early, "\r\n", "\r\nConnection: close\r\n", 1))
					} else {
						p.say(early)
					}
					after(p)
				})
				f := newForwarder(t, api)
				call := newCall("POST", "/")
				call.Body, call.BodyLength = &pattern{size: 1 << 40}, length
				call.StopBody = func() { close(heard) }
				within(t, time.Minute, "an early answer", func() {
					if got := do(f, call); got.status != 413 || got.body != "too big" || !got.whole {
						t.Errorf("got %v", got)
					}
				})
				if got := get(f, "/"); got.body != "next" {
					t.Errorf("the next call got %v", got)
				}
				if n := api.dialled(); n != 2 {
					t.Errorf("%d connections, want 2", n)
				}
			})
		}
	}
}

// A refusal stops the sending at once, not with the end of the answer.
func TestRefusalStopsSending(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		p.head()
		p.say("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n")
		for page := make([]byte, 64<<10); ; { // until nothing comes any more
			_ = p.SetReadDeadline(time.Now().Add(4 * short))
			if _, err := p.Read(page); err != nil {
				break
			}
		}
		p.say("0\r\n\r\n")
		_ = p.SetReadDeadline(time.Time{})
		p.drain() // or bytes that were only late would turn the answer's end into a reset
	})
	f := newForwarder(t, api)
	call := newCall("POST", "/")
	call.Body, call.BodyLength = &pattern{size: 1 << 40}, -1
	within(t, time.Minute, "the end of the answer", func() {
		if got := do(f, call); got.status != 403 || got.body != "no" || !got.whole {
			t.Errorf("got %v", got)
		}
	})
}

// A refusal of a body that was sent to its last byte is no early answer.
func TestRefusalBehindTheBody(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for p.request() != nil {
			p.say("HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 2\r\n\r\nno")
		}
	})
	f := newForwarder(t, api)
	late := 0
	for i := 0; i < 300+late; i++ {
		call := newCall("POST", "/")
		call.Body, call.BodyLength = strings.NewReader("x"), int64(1-i%2*2)
		stopped := false
		call.StopBody = func() { stopped = true }
		got := do(f, call)
		if got.status != 422 || got.body != "no" {
			t.Fatal(got)
		}
		if got.late {
			late++
		} else if stopped {
			t.Error("stopped")
		}
	}
	if n := api.dialled(); n > 1+late {
		t.Errorf("%d connections, want 1; %d calls were late", n, late)
	}
}

// The same for a body in memory: after sending failed, the answer that waits is
// read, and the connection, in which half a body stands, is not used again.
func TestEarlyAnswerToABodyInMemory(t *testing.T) {
	body := make([]byte, 64<<20)                       // more than sockets hold; once, because the race detector takes long over it
	const timeout, lastWords = 60 * short, time.Second // until sending fails, and for the answer then
	for _, c := range []struct {
		name  string
		after func(p *wirePeer)
		sends time.Duration // for how long
	}{
		{"and closes", func(*wirePeer) {}, 0},
		{"and stops reading", func(p *wirePeer) { <-p.stop }, timeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			stop := make(chan bool)
			defer close(stop)
			for late := true; late; { // a busy machine may let both times pass: then again
				api := serveWire(t, func(p *wirePeer) {
					p.stop = stop
					if p.head() == "" {
						return
					}
					if p.index > 0 {
						p.say(ok("next"))
						return
					}
					p.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big")
					c.after(p)
				})
				f := newForwarder(t, api)
				call := newCall("PUT", "/")
				call.Buffered, call.HeaderTimeout = body, timeout
				begun := time.Now()
				got := do(f, call)
				if late = got.status == 0 && time.Since(begun) >= c.sends+lastWords; late {
					continue
				}
				if got.status != 413 || got.body != "too big" {
					t.Errorf("got %v", got)
				}
				if open, _ := f.Open(); open != 0 {
					t.Errorf("%d open", open)
				}
				if got := get(f, "/"); got.body != "next" {
					t.Errorf("the next call got %v", got)
				}
			}
		})
	}
}

// The same while Body waits for a browser that sends nothing: StopBody ends that
// Read, and Close, or a Do that fails, returns only when it is over.
func TestTheBrowserIsSilent(t *testing.T) {
	for _, c := range []struct {
		name, says string
		status     int
		err        error
	}{
		{"an early answer", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", 401, nil},
		{"an answer beside it", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", 200, nil},
		{"no answer", "", 0, upstream.ErrUnreachable},
		{"garbage", "garbage\r\n\r\n", 0, upstream.ErrInvalid},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nno", 200, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := serveWire(t, func(p *wirePeer) {
				p.head()
				p.say(c.says)
				p.finish()
				p.drain()
			})
			f := newForwarder(t, api)
			in, out := io.Pipe()
			defer out.Close()
			stopped, reading := 0, &watched{r: in}
			call := newCall("POST", "/")
			call.Body, call.BodyLength = reading, -1
			call.StopBody = func() { stopped++; _ = in.CloseWithError(errors.New("stopped")) }
			within(t, time.Minute, "the end of the call", func() {
				if got := do(f, call); got.status != c.status || !errors.Is(got.err, c.err) || c.err == nil && got.body != "no" {
					t.Errorf("got %v", got)
				}
			})
			if stopped != 1 {
				t.Errorf("StopBody called %d times", stopped)
			}
			if reading.inside {
				t.Error("Body is still being read")
			}
			if open, _ := f.Open(); open != 0 {
				t.Errorf("%d open", open)
			}
		})
	}
}

// watched says whether a Read is under way; it is not synchronised, so that the
// race detector sees a Read that outlives the call.
type watched struct {
	r      io.Reader
	inside bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.inside = true
	defer func() { w.inside = false }()
	return w.r.Read(p)
}

// An answer that begins while the body is being sent and is no refusal lets the
// body go on: the API may be working on it as it comes.
func TestAnswerBesideTheBody(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for n := 0; ; n++ {
			if p.head() == "" {
				return
			}
			p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			var all bytes.Buffer
			if err := readChunks(p, &all); err != nil {
				return
			}
			p.say(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", all.Len(), all.String()))
		}
	})
	f := newForwarder(t, api)
	late := 0
	for i := 0; i < 3+late; i++ {
		in, out := io.Pipe()
		call := newCall("POST", "/")
		call.Body, call.BodyLength = in, -1
		var ans forward.Response
		if err := f.Do(call, &ans); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(out, "late"); _ = out.Close() }()
		if got, err := io.ReadAll(&ans); string(got) != "late" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if closeLate(&ans) {
			late++
		}
	}
	if n := api.dialled(); n > 1+late {
		t.Errorf("%d connections, want 1; %d calls were late", n, late)
	}
}

// The end of such a body does not start the time for a head that came long ago.
func TestAnswerBesideTheBodyTakesItsTime(t *testing.T) {
	t.Parallel()
	api := serveWire(t, func(p *wirePeer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		_ = readChunks(p, io.Discard)
		time.Sleep(50 * short) // longer than the head may take; more makes no difference
		p.say("4\r\nlast\r\n0\r\n\r\n")
	})
	f := newForwarder(t, api)
	in, out := io.Pipe()
	call := newCall("POST", "/")
	call.Body, call.BodyLength, call.HeaderTimeout = in, -1, 40*short
	var ans forward.Response
	if err := f.Do(call, &ans); err != nil {
		t.Fatal(err)
	}
	defer ans.Close()
	go func() { time.Sleep(short); _ = out.Close() }() // while the next part is waited for, most likely
	if got, err := io.ReadAll(&ans); string(got) != "firstlast" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
