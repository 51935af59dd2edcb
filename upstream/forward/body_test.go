package forward_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// Every kind of body arrives as it is, framed in one way.
func TestRequestBodies(t *testing.T) {
	large := strings.Repeat("0123456789", 10<<10)
	for _, c := range []struct {
		name, method, buffered, body string
		length                       int64
		framing                      string
	}{
		{name: "none", method: "GET"},
		{name: "none, but a length is due", method: "POST", framing: "Content-Length: 0\r\n"},
		{name: "buffered", method: "POST", buffered: "hello", framing: "Content-Length: 5\r\n"},
		{name: "buffered, large", method: "POST", buffered: large, framing: "Content-Length: 102400\r\n"},
		{name: "length", method: "POST", body: "hello", length: 5, framing: "Content-Length: 5\r\n"},
		{name: "length, large", method: "PUT", body: large, length: 102400, framing: "Content-Length: 102400\r\n"},
		{name: "length zero", method: "POST", body: "", length: 0, framing: "Content-Length: 0\r\n"},
		{name: "more than its length", method: "POST", body: "hello!", length: 5, framing: "Content-Length: 5\r\n"},
		{name: "chunked", method: "POST", body: "hello", length: -1, framing: "Transfer-Encoding: chunked\r\n"},
		{name: "chunked, large", method: "POST", body: large, length: -1, framing: "Transfer-Encoding: chunked\r\n"},
		{name: "chunked, empty", method: "POST", body: "", length: -1, framing: "Transfer-Encoding: chunked\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			heads := make(chan string, 1)
			api := serveWire(t, func(p *wirePeer) {
				for {
					head := p.head()
					if head == "" {
						return
					}
					heads <- head
					p.in = bufio.NewReader(io.MultiReader(strings.NewReader(head), p.in))
					p.say(ok(p.request().body))
				}
			})
			f := newForwarder(t, api)
			call := newCall(c.method, "/")
			sent := string(call.Head)
			call.Buffered = []byte(c.buffered)
			streamed := strings.HasPrefix(c.name, "length") || strings.HasPrefix(c.name, "more") || strings.HasPrefix(c.name, "chunked")
			if streamed {
				call.Body, call.BodyLength = onlyReader{strings.NewReader(c.body)}, c.length
			}
			want := c.buffered + c.body
			if c.length > 0 {
				want = want[:c.length]
			}
			if got := do(f, call); got.body != want || !got.whole {
				t.Errorf("got %v", got)
			}
			if head := <-heads; head != sent+c.framing+"\r\n" {
				t.Errorf("the API read %q", head)
			}
		})
	}
}

// A chunk is sent as soon as it is there, and a part of an answer is given as soon
// as it comes: nothing waits for more.
func TestNothingIsHeldBack(t *testing.T) {
	for _, framing := range []string{"Transfer-Encoding: chunked\r\n\r\n", "Content-Length: 1000000\r\n\r\n", "\r\n"} {
		api := serveWire(t, func(p *wirePeer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\n" + framing)
			for range 3 {
				line, _ := p.in.ReadString('\n') // the size of a chunk
				n, _ := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
				echo := make([]byte, n)
				_, _ = io.ReadFull(p.in, echo)
				_, _ = p.in.ReadString('\n')
				if strings.HasPrefix(framing, "Tr") {
					p.say(fmt.Sprintf("%x\r\n%s\r\n", n, echo))
				} else {
					p.say(string(echo))
				}
			}
		})
		f := newForwarder(t, api)
		in, out := io.Pipe()
		call := newCall("POST", "/")
		call.Body, call.BodyLength, call.StopBody = in, -1, func() { _ = in.Close() }
		var ans forward.Response
		within(t, time.Minute, "an echo, part by part", func() {
			if err := f.Do(call, &ans); err != nil {
				t.Error(err)
				return
			}
			for _, part := range []string{"one", "two", "three"} {
				_, _ = io.WriteString(out, part)
				got := make([]byte, 100)
				n, err := ans.Read(got)
				if string(got[:n]) != part || err != nil {
					t.Errorf("%q: got %q, %v", part, got[:n], err)
				}
			}
		})
		_ = ans.Close()
	}
}

// A body that breaks off breaks the call: the API never sees its end.
func TestBodyBreaksOff(t *testing.T) {
	gone := errors.New("the browser left")
	for name, length := range map[string]int64{"length": 100, "chunks": -1} {
		t.Run(name, func(t *testing.T) {
			saw := make(chan error, 1)
			api := serveWire(t, func(p *wirePeer) {
				_, err := io.ReadAll(p.in)
				saw <- err
				p.say(ok("never"))
			})
			f := newForwarder(t, api)
			call := newCall("POST", "/")
			call.Body, call.BodyLength = io.MultiReader(strings.NewReader("hello"), failing{gone}), length
			got := do(f, call)
			if !errors.Is(got.err, gone) || errors.Is(got.err, upstream.ErrUnreachable) {
				t.Errorf("got %v", got)
			}
			<-saw // the connection ended
			if open, _ := f.Open(); open != 0 {
				t.Errorf("%d open", open)
			}
		})
	}
	t.Run("too short", func(t *testing.T) {
		api := serveWire(t, func(p *wirePeer) { p.drain() })
		call := newCall("POST", "/")
		call.Body, call.BodyLength = strings.NewReader("hello"), 100
		if got := do(newForwarder(t, api), call); !errors.Is(got.err, io.ErrUnexpectedEOF) {
			t.Error(got)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A read that returned the last bytes and an error with them is a whole body if
// the length says so.
func TestBodyEndsWithItsLastBytes(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			p.say(ok(r.body))
		}
	})
	f := newForwarder(t, api)
	for _, length := range []int64{5, -1} {
		for late := true; late; {
			call := newCall("POST", "/")
			call.Body, call.BodyLength = &atOnce{"hello"}, length
			got := do(f, call)
			if got.body != "hello" {
				t.Fatal(got)
			}
			late = got.late
			dialled := api.dialled()
			if get(f, "/"); !late && api.dialled() != dialled {
				t.Errorf("length %d: the connection was not used again", length)
			}
		}
	}
}

type atOnce struct{ s string }

func (a *atOnce) Read(p []byte) (int, error) {
	n := copy(p, a.s)
	a.s = a.s[n:]
	return n, io.EOF
}
