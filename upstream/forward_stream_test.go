package upstream_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
)

// streamSize is how much flows in the tests of bounded memory; COATCHECK_LONG=1
// makes it a GiB.
func streamSize() int64 {
	if os.Getenv("COATCHECK_LONG") != "" {
		return 1 << 30
	}
	return 256 << 20
}

// pattern is a body in which every byte says where it stands: at modulo 251.
type pattern struct{ at, size int64 }

var patternPage = func() []byte {
	page := make([]byte, 64<<10)
	for i := range page {
		page[i] = byte(i % 251)
	}
	return page
}()

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	n := copy(b, patternPage[p.at%251:])
	p.at += int64(n)
	return n, nil
}

// checker takes a pattern and counts what fits.
type checker struct{ at int64 }

func (c *checker) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		want := patternPage[c.at%251:]
		want = want[:min(len(rest), len(want))]
		if !bytes.Equal(rest[:len(want)], want) {
			return 0, fmt.Errorf("wrong bytes behind %d", c.at)
		}
		c.at += int64(len(want))
		rest = rest[len(want):]
	}
	return len(b), nil
}

// Bodies of any size pass in bounded memory: all that is allocated, ever, stays
// below 32 MiB.
func TestStreamsInBoundedMemory(t *testing.T) {
	size := streamSize()
	api := serveWire(t, func(p *wirePeer) {
		for {
			head := p.head()
			if head == "" {
				return
			}
			var err error
			switch {
			case strings.HasPrefix(head, "GET /length"):
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size))
				_, err = io.Copy(p.Conn, onlyReader{&pattern{size: size}})
			case strings.HasPrefix(head, "GET /chunks"):
				p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				err = sayChunks(p, &pattern{size: size})
			default:
				err = p.expectPattern(head, size)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	f := newForwarder(t, api)
	for _, path := range []string{"/length", "/chunks"} {
		t.Run("down"+path, func(t *testing.T) {
			bounded(t, 32<<20, func() {
				var ans upstream.Answer
				if err := f.Do(newCall("GET", path), &ans); err != nil {
					t.Fatal(err)
				}
				defer ans.Close()
				var c checker
				if _, err := io.CopyBuffer(&c, onlyReader{&ans}, make([]byte, 32<<10)); err != nil || c.at != size {
					t.Error(c.at, err)
				}
			})
		})
	}
	for name, length := range map[string]int64{"length": size, "chunks": -1} {
		t.Run("up/"+name, func(t *testing.T) {
			bounded(t, 32<<20, func() {
				call := newCall("PUT", "/")
				call.Body, call.BodyLength = &pattern{size: size}, length
				if got := do(f, call); got.body != "got it" {
					t.Error(got)
				}
			})
		})
	}
	if n := api.dialled(); n != 1 {
		t.Errorf("%d connections, want 1: all of it was in order", n)
	}
}

// onlyReader and onlyWriter hide everything else that these can do.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

func sayChunks(p *wirePeer, from io.Reader) error {
	room, out := make([]byte, 50<<10), make([]byte, 0, 51<<10)
	for {
		n, err := from.Read(room)
		if err == io.EOF {
			p.say("0\r\n\r\n")
			return nil
		}
		out = append(strconv.AppendInt(out[:0], int64(n), 16), "\r\n"...)
		out = append(append(out, room[:n]...), "\r\n"...)
		if _, err := p.Write(out); err != nil {
			return err
		}
	}
}

// expectPattern reads an upload whose head was read, strictly, and acknowledges it.
func (p *wirePeer) expectPattern(head string, size int64) error {
	var c checker
	switch {
	case strings.Contains(head, fmt.Sprintf("\r\nContent-Length: %d\r\n", size)):
		if _, err := io.CopyN(&c, p.in, size); err != nil {
			return err
		}
	case strings.Contains(head, "\r\nTransfer-Encoding: chunked\r\n"):
		if err := readChunks(p, &c); err != nil {
			return err
		}
	default:
		return errors.New("no framing in the request")
	}
	if c.at != size {
		return fmt.Errorf("%d bytes arrived", c.at)
	}
	p.say(ok("got it"))
	return nil
}

// readChunks is a reader of chunks that allows nothing but chunks.
func readChunks(p *wirePeer, to io.Writer) error {
	room, end := make([]byte, 32<<10), make([]byte, 2)
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(line, "\r\n"), 16, 64)
		if err != nil {
			return err
		}
		part := onlyReader{io.LimitReader(p.in, n)}
		if got, err := io.CopyBuffer(onlyWriter{to}, part, room); err != nil || got != n {
			return fmt.Errorf("%d of %d bytes of a chunk, %v", got, n, err)
		}
		if _, err := io.ReadFull(p.in, end); err != nil || string(end) != "\r\n" {
			return fmt.Errorf("chunk ends in %q, %v", end, err)
		}
		if n == 0 {
			return nil
		}
	}
}

func bounded(t *testing.T, limit uint64, f func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > limit {
		t.Errorf("%d MiB allocated", grown>>20)
	}
}

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
			if head := <-heads; head != string(call.Head)+c.framing+"\r\n" {
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
		var ans upstream.Answer
		within(t, 10*time.Second, "an echo, part by part", func() {
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
		call := newCall("POST", "/")
		call.Body, call.BodyLength = &atOnce{"hello"}, length
		if got := do(f, call); got.body != "hello" {
			t.Error(got)
		}
	}
	if api.dialled() != 1 {
		t.Error("the connection was not used again")
	}
}

type atOnce struct{ s string }

func (a *atOnce) Read(p []byte) (int, error) {
	n := copy(p, a.s)
	a.s = a.s[n:]
	return n, io.EOF
}

// An answer that comes while the body is still being sent is an answer, whether
// the API goes on listening, closes, or resets; and the connection is not used again.
func TestEarlyAnswer(t *testing.T) {
	const early = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big"
	for name, after := range map[string]func(p *wirePeer){
		"and goes on reading":        func(p *wirePeer) { p.drain() },
		"and stops reading":          func(p *wirePeer) { <-p.stop },
		"and closes":                 func(*wirePeer) {},
		"and resets":                 func(p *wirePeer) { time.Sleep(20 * time.Millisecond); p.reset() },
		"and says close, and closes": func(*wirePeer) {},
	} {
		for _, length := range []int64{64 << 20, -1} {
			t.Run(fmt.Sprint(name, length), func(t *testing.T) {
				stop := make(chan bool)
				defer close(stop)
				api := serveWire(t, func(p *wirePeer) {
					p.stop = stop
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
				call.Body, call.BodyLength = &pattern{size: 64 << 20}, length
				within(t, 10*time.Second, "an early answer", func() {
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
	})
	f := newForwarder(t, api)
	call := newCall("POST", "/")
	call.Body, call.BodyLength = &pattern{size: 1 << 40}, -1
	within(t, 20*time.Second, "the end of the answer", func() {
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
	for i := range 300 {
		call := newCall("POST", "/")
		call.Body, call.BodyLength = strings.NewReader("x"), int64(1-i%2*2)
		call.StopBody = func() { t.Error("stopped") }
		if got := do(f, call); got.status != 422 || got.body != "no" {
			t.Fatal(got)
		}
	}
	if n := api.dialled(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// The same for a body in memory: after sending failed, the answer that waits is
// read, and the connection, in which half a body stands, is not used again.
func TestEarlyAnswerToABodyInMemory(t *testing.T) {
	for name, after := range map[string]func(p *wirePeer){
		"and closes":        func(*wirePeer) {},
		"and stops reading": func(p *wirePeer) { <-p.stop },
	} {
		t.Run(name, func(t *testing.T) {
			stop := make(chan bool)
			defer close(stop)
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
				after(p)
			})
			f := newForwarder(t, api)
			call := newCall("PUT", "/")
			call.Buffered, call.HeaderTimeout = make([]byte, 64<<20), 10*short
			if got := do(f, call); got.status != 413 || got.body != "too big" {
				t.Errorf("got %v", got)
			}
			if open, _ := f.Open(); open != 0 {
				t.Errorf("%d open", open)
			}
			if got := get(f, "/"); got.body != "next" {
				t.Errorf("the next call got %v", got)
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
			within(t, 10*time.Second, "the end of the call", func() {
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
	for range 3 {
		in, out := io.Pipe()
		call := newCall("POST", "/")
		call.Body, call.BodyLength = in, -1
		var ans upstream.Answer
		if err := f.Do(call, &ans); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(out, "late"); _ = out.Close() }()
		if got, err := io.ReadAll(&ans); string(got) != "late" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		_ = ans.Close()
	}
	if n := api.dialled(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// The end of such a body does not start the time for a head that came long ago.
func TestAnswerBesideTheBodyTakesItsTime(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		_ = readChunks(p, io.Discard)
		time.Sleep(4 * short)
		p.say("4\r\nlast\r\n0\r\n\r\n")
	})
	f := newForwarder(t, api)
	in, out := io.Pipe()
	call := newCall("POST", "/")
	call.Body, call.BodyLength, call.HeaderTimeout = in, -1, 2*short
	var ans upstream.Answer
	if err := f.Do(call, &ans); err != nil {
		t.Fatal(err)
	}
	defer ans.Close()
	go func() { time.Sleep(short); _ = out.Close() }() // while the next part is waited for
	if got, err := io.ReadAll(&ans); string(got) != "firstlast" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
