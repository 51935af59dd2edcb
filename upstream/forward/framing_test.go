package forward_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// An answer is delivered as it was framed, or refused; and the connection is used
// again only where nothing speaks against it.
func TestFraming(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 64<<10)
	for _, c := range []struct {
		name   string
		method string // GET
		answer string
		status int // 0: refused with err
		body   string
		length int64
		err    error // of Do, or of the body where status is not 0
		again  bool  // the connection is used for the next call
		end    bool  // the API closes behind the answer
	}{
		{name: "length", answer: ok("hello"), status: 200, body: "hello", length: 5, again: true},
		{name: "length zero", answer: ok(""), status: 200, again: true},
		{name: "large", answer: ok(big), status: 200, body: big, length: 1 << 20, again: true},
		{name: "status without reason", answer: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1, again: true},
		{name: "names of any case", answer: "HTTP/1.1 200 OK\r\ncONTENT-lENGTH:1\r\n\r\nx", status: 200, body: "x", length: 1, again: true},
		{name: "chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", status: 200, body: "hello world", length: -1, again: true},
		{name: "chunked, empty", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 200, length: -1, again: true},
		{name: "chunk extension", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0;c\r\n\r\n", status: 200, body: "hello", length: -1, again: true},
		{name: "trailers", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n", status: 200, body: "x", length: -1, again: true},
		{name: "by end", answer: "HTTP/1.1 200 OK\r\n\r\nhello", end: true, status: 200, body: "hello", length: -1},
		{name: "by end, empty", answer: "HTTP/1.1 200 OK\r\n\r\n", end: true, status: 200, length: -1},
		{name: "close said", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1},
		{name: "close among others", answer: "HTTP/1.1 200 OK\r\nConnection: foo, CLOSE\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1},
		{name: "close in a second line", answer: "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1},
		{name: "1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1},
		{name: "1.0 kept", answer: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1, again: true},
		{name: "1.0 by end", answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx", end: true, status: 200, body: "x", length: -1},
		{name: "HEAD", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", status: 200, length: 99},
		{name: "HEAD chunked", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", status: 200, length: -1},
		{name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", status: 204},
		{name: "304 with length", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", status: 304, length: 7},
		{name: "205 with length zero", answer: "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", status: 205, again: true},
		{name: "100, 103, then 200", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("x"), status: 200, body: "x", length: 1, again: true},
		{name: "599", answer: "HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", status: 599, again: true},
		{name: "content coding untouched", answer: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x", length: 1, again: true},

		{name: "bytes behind", answer: ok("hello") + "x", status: 200, body: "hello", length: 5},
		{name: "an answer behind", answer: ok("hello") + ok("evil"), status: 200, body: "hello", length: 5},
		{name: "bytes behind chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", status: 200, length: -1},
		{name: "bytes behind a large body", answer: ok(big) + strings.Repeat("x", 64<<10), status: 200, body: big, length: 1 << 20},
		{name: "204 with a body", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", status: 204},
		{name: "304 with a body", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil", status: 304, length: 4},
		{name: "HEAD with a body", method: "HEAD", answer: ok("evil"), status: 200, length: 4},

		{name: "unasked 101", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", err: upstream.ErrInvalid},
		{name: "unasked 101, then 200", answer: "HTTP/1.1 101 Switching Protocols\r\n\r\n" + ok("x"), err: upstream.ErrInvalid},
		{name: "eleven interims", answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 11) + ok("x"), err: upstream.ErrInvalid},
		{name: "interim with length", answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\n" + ok("x"), err: upstream.ErrInvalid},
		{name: "chunked interim", answer: "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + ok("x"), err: upstream.ErrInvalid},
		{name: "interim with length zero", answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n" + ok("x"), status: 200, body: "x", length: 1, again: true},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", err: upstream.ErrInvalid},
		{name: "the same length twice", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", err: upstream.ErrInvalid},
		{name: "list of lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx", err: upstream.ErrInvalid},
		{name: "signed length", answer: "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", err: upstream.ErrInvalid},
		{name: "negative length", answer: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", err: upstream.ErrInvalid},
		{name: "empty length", answer: "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nx", err: upstream.ErrInvalid},
		{name: "length beyond 64 bits", answer: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx", err: upstream.ErrInvalid},
		{name: "length and chunked", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "unknown coding", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", err: upstream.ErrInvalid},
		{name: "two codings", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "chunked twice", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "identity", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", err: upstream.ErrInvalid},
		{name: "chunked in 1.0", answer: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "folded line", answer: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "bare LF", answer: "HTTP/1.1 200 OK\nContent-Length: 0\n\n", err: upstream.ErrInvalid},
		{name: "bare LF in a field", answer: "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "bare CR in a field", answer: "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "NUL in a field", answer: "HTTP/1.1 200 OK\r\nA: b\x00\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "space before colon", answer: "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "space in a name", answer: "HTTP/1.1 200 OK\r\nContent Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "no name", answer: "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "no colon", answer: "HTTP/1.1 200 OK\r\nabc\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status 000", answer: "HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status 099", answer: "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status 600", answer: "HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status 999", answer: "HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status 1000", answer: "HTTP/1.1 1000 Long\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status 20", answer: "HTTP/1.1 20 Short\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "status in letters", answer: "HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "no status", answer: "HTTP/1.1\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "another version", answer: "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "version 1.2", answer: "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "another protocol", answer: "ICY 200 OK\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "garbage", answer: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", err: upstream.ErrInvalid},
		{name: "empty line first", answer: "\r\n" + ok("x"), err: upstream.ErrInvalid},
		{name: "HTTP/0.9", answer: "<html>hello</html>", end: true, err: upstream.ErrInvalid},
		{name: "head too long", answer: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 65<<10) + "\r\nContent-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "endless head", answer: "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20<<10), err: upstream.ErrInvalid},
		{name: "too many fields", answer: "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 300) + "Content-Length: 0\r\n\r\n", err: upstream.ErrInvalid},
		{name: "nothing", answer: "", end: true, err: upstream.ErrUnreachable},
		{name: "half a head", answer: "HTTP/1.1 200 OK\r\nContent-Le", end: true, err: upstream.ErrUnreachable},
		{name: "interim and no more", answer: "HTTP/1.1 103 Early Hints\r\n\r\n", end: true, err: upstream.ErrUnreachable},
		{name: "small chunk section malformed", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA b\r\n\r\n", err: upstream.ErrInvalid},

		{name: "short small body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", end: true, err: upstream.ErrUnreachable},
		{name: "short body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello", end: true, status: 200, body: "hello", length: 100000, err: io.ErrUnexpectedEOF},
		{name: "huge length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nhello", end: true, status: 200, body: "hello", length: 99999999999, err: io.ErrUnexpectedEOF},
		{name: "short chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", end: true, status: 200, body: "hello", length: -1, err: io.ErrUnexpectedEOF},
		{name: "no last chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", end: true, status: 200, body: "hello", length: -1, err: io.ErrUnexpectedEOF},
		{name: "no end of trailers", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", end: true, status: 200, body: "hello", length: -1, err: io.ErrUnexpectedEOF},
		{name: "chunk size no number", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n", status: 200, body: "hello", length: -1, err: upstream.ErrInvalid},
		{name: "chunk longer than its size", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", status: 200, body: "hello", length: -1, err: upstream.ErrInvalid},
		{name: "bare LF behind a chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", status: 200, body: "hello", length: -1, err: upstream.ErrInvalid},
		{name: "chunk size beyond 60 bits", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\nx", status: 200, length: -1, err: upstream.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			for rested := true; rested; { // where the next call was slow, a connection may have rested: then again
				api := serveWire(t, func(p *wirePeer) {
					for n := 0; p.request() != nil; n++ {
						if p.index > 0 || n > 0 {
							p.say(ok("next"))
							continue
						}
						p.say(c.answer)
						if c.end {
							p.finish()
						}
					}
				})
				f := newForwarder(t, api)
				if c.method == "" {
					c.method = "GET"
				}
				begun := time.Now()
				got := do(f, newCall(c.method, "/"))
				if c.name == "short small body" && got.status == 200 { // the end came too late to be at hand
					c.status, c.length, c.body, c.err = 200, 100, "hello", io.ErrUnexpectedEOF
				}
				if got.status != c.status || got.body != c.body || c.status != 0 && got.length != c.length {
					t.Errorf("got %v, want status %d, length %d, body %.60q", got, c.status, c.length, c.body)
				}
				if !errors.Is(got.err, c.err) || c.err == nil && got.err != nil {
					t.Errorf("got error %v, want %v", got.err, c.err)
				}
				if next := get(f, "/"); next.body != "next" || !next.whole {
					t.Errorf("the next call got %v", next)
				}
				again := api.dialled() == 1
				rested = again && !c.again && time.Since(begun) >= rest
				if again != c.again && !rested {
					t.Errorf("connection used again: %v, want %v", again, c.again)
				}
			}
		})
	}
}

// However the network cuts an answer, it is the same.
func TestFramingAnyCut(t *testing.T) {
	const answer = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: u\r\n\r\n"
	cut := 0
	api := serveWire(t, func(p *wirePeer) {
		for p.request() != nil {
			p.say(answer[:cut])
			if p.index%2 == 0 {
				time.Sleep(200 * time.Microsecond) // two segments, mostly read as two; one is right as well
			}
			p.say(answer[cut:])
		}
	})
	f := newForwarder(t, api)
	for cut = 1; cut < len(answer); cut++ {
		got := get(f, "/")
		if got.status != 200 || got.body != "hello!" || !got.whole || !strings.Contains(got.fields, "X-A: b") {
			t.Fatalf("cut at %d: %v", cut, got)
		}
	}
	if n := api.dialled(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A small body is given out whole where one more read is enough for it, and
// streams where it is not; it is the same body.
func TestSmallBodyInParts(t *testing.T) {
	const body = "hello, world"
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			parts := len(r.URL.Path)
			answer := ok(body)
			p.say(answer[:len(answer)-len(body)])
			for i := range parts {
				time.Sleep(time.Millisecond) // parts, mostly read as such; fewer are right as well
				p.say(body[len(body)*i/parts : len(body)*(i+1)/parts])
			}
		}
	})
	f := newForwarder(t, api)
	for parts := 1; parts <= len(body); parts++ {
		if got := get(f, "/"+strings.Repeat("x", parts-1)); got.body != body || !got.whole {
			t.Errorf("in %d parts: %v", parts, got)
		}
	}
	if n := api.dialled(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// Trailers are given after the end of the body, whether it came at once or not.
func TestTrailers(t *testing.T) {
	for _, size := range []int{5, 100 << 10} {
		api := serveWire(t, func(p *wirePeer) {
			for p.request() != nil {
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nTrailer: X-Sum, X-B\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nX-Sum: 1\r\nx-b:  2 \r\n\r\n",
					size, strings.Repeat("x", size)))
			}
		})
		f := newForwarder(t, api)
		var ans forward.Response
		if err := f.Do(newCall("GET", "/"), &ans); err != nil {
			t.Fatal(err)
		}
		if ans.Complete == nil && ans.Trailers() != nil {
			t.Error("trailers before the end of the body")
		}
		if n, err := io.Copy(io.Discard, &ans); n != int64(size) || err != nil {
			t.Fatal(n, err)
		}
		got := ""
		for _, field := range ans.Trailers() {
			got += fmt.Sprintf("%s=%s;", field.Name, field.Value)
		}
		if want := "X-Sum=1;x-b=2;"; got != want {
			t.Errorf("size %d: trailers %q, want %q", size, got, want)
		}
		_ = ans.Close()
	}
}

// An answer that was not read to its end leaves no connection behind that is out
// of step.
func TestCloseBeforeTheEnd(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			p.say(ok(strings.Repeat(r.URL.Path, 100<<10)))
		}
	})
	f := newForwarder(t, api)
	for i := range 20 {
		var ans forward.Response
		call := newCall("GET", fmt.Sprintf("/%d;", i))
		if err := f.Do(call, &ans); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(&ans, make([]byte, 1000*i)); err != nil {
			t.Fatal(err)
		}
		_ = ans.Close()
		_ = ans.Close()
		if _, err := ans.Read(make([]byte, 1)); err == nil {
			t.Fatal("read after close")
		}
		if got := get(f, fmt.Sprintf("/%d.", i)); !strings.HasPrefix(got.body, fmt.Sprintf("/%d.", i)) || !got.whole {
			t.Fatalf("after %d: %v", i, got)
		}
	}
	if open, idle := f.Open(); open != idle {
		t.Errorf("%d open, %d idle", open, idle)
	}
}
