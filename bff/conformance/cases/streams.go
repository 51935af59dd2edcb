package cases

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

const socketKey = "dGhlIHNhbXBsZSBub25jZQ=="

func upgrade(origin, mark string) string {
	return "GET {api}" + mark + " HTTP/1.1\n{host}\n{cookie}\n{edge}\nOrigin: " + origin +
		"\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: " + socketKey + "\n\n"
}

func handshake(t *suite.T, tab *suite.Tab, mark, origin string) (*world.Wire, []world.Call) {
	w := tab.First(upgrade(origin, mark))
	return w, t.W.API.Calls(mark)
}

// open begins a request whose answer the case reads by itself.
func open(t *suite.T, tab *suite.Tab, request string) (net.Conn, *bufio.Reader) {
	c, err := world.Drip(t.S.Address)
	if err != nil {
		t.Stuck("%v", err)
	}
	t.After(func() { _ = c.Close() })
	_, _ = io.WriteString(c, t.Fill(tab, request))
	return c, bufio.NewReader(c)
}

const call = "GET {api}MARK HTTP/1.1\n{host}\n{cookie}\n{edge}\nAccept: text/event-stream\n\n"

// events answers with one event, and tells when the call has ended.
func events(gone chan<- bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(90 * time.Second): // longer than any case waits
		}
		gone <- true
	}
}

// reads reports whether a word comes within some time.
func reads(c net.Conn, r *bufio.Reader, word string, most time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(most))
	var seen strings.Builder
	b := make([]byte, 1024)
	for {
		n, err := r.Read(b)
		seen.Write(b[:n])
		if strings.Contains(seen.String(), word) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// ends reports whether the other side ends a connection within some time.
func ends(c net.Conn, r *bufio.Reader, most time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(most))
	_, err := io.Copy(io.Discard, r)
	var late net.Error
	return !(err != nil && asLate(err, &late) && late.Timeout())
}

func asLate(err error, late *net.Error) bool {
	e, ok := err.(net.Error)
	*late = e
	return ok
}

// streaming is a case about an event stream of a person who is signed in.
func streaming(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, c net.Conn, r *bufio.Reader, gone <-chan bool)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		gone := make(chan bool, 4)
		t.W.API.Say(mark, events(gone))
		c, r := open(t, tab, strings.Replace(call, "MARK", mark, 1))
		if id != "streams-events" && !reads(c, r, "data: first", 10*time.Second) {
			t.Skip("it does not pass events on as they come")
		}
		run(t, tab, c, r, gone)
	})
}

func streams() []suite.Case {
	return append([]suite.Case{
		streaming("streams-events", suite.Low, expectation("a stream that arrives at its end is none"), "Events pass as they come.", "the first event arrives while the answer goes on", func(t *suite.T, _ *suite.Tab, c net.Conn, r *bufio.Reader, _ <-chan bool) {
			t.FailIf(!reads(c, r, "data: first", t.Most(10*time.Second)), "it does not")
		}),
		streaming("streams-signout", suite.Medium, asvs("7.4.1"), "After a sign-out the session cannot be used.", "an open event stream ends within 20 seconds of the sign-out", func(t *suite.T, tab *suite.Tab, c net.Conn, r *bufio.Reader, _ <-chan bool) {
			tab.Leave()
			t.FailIf(!ends(c, r, patience(t)), "it goes on")
		}),
		streaming("streams-gone", suite.Low, expectation("work for nobody is what a flood is made of"), "A caller that leaves ends the call.", "the API's call ends within 20 seconds", func(t *suite.T, _ *suite.Tab, c net.Conn, _ *bufio.Reader, gone <-chan bool) {
			_ = c.Close()
			select {
			case <-gone:
			case <-time.After(patience(t)):
				t.Fail("it goes on")
			}
		}),
		socket("streams-socket", suite.Medium, bffProxy, "The BFF attaches the access token.", "the handshake of a WebSocket brings the token to the API", func(t *suite.T, _ *suite.Tab, mark string, _ net.Conn, _ *bufio.Reader) {
			t.FailIf(len(t.Bearing(mark)) == 0, "it does not")
		}),
		socket("streams-socket-signout", suite.Medium, asvs("7.4.1"), "After a sign-out the session cannot be used.", "an open WebSocket ends within 20 seconds of the sign-out", func(t *suite.T, tab *suite.Tab, _ string, c net.Conn, r *bufio.Reader) {
			tab.Leave()
			t.FailIf(!ends(c, r, patience(t)), "it goes on")
		}),
	}, bodies()...)
}

func patience(t *suite.T) time.Duration {
	return t.Most(20 * time.Second)
}

func socket(id string, severity suite.Severity, source, says, pass string, run func(t *suite.T, tab *suite.Tab, mark string, c net.Conn, r *bufio.Reader)) suite.Case {
	return one(id, severity, source, says, pass, func(t *suite.T) {
		if !t.S.WebSocket {
			t.Skip("it carries no WebSockets in this configuration")
		}
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.W.API.Say(mark, world.AcceptSocket)
		c, r := open(t, tab, upgrade(t.S.Origin, mark))
		if !reads(c, r, "hello", 10*time.Second) {
			t.Stuck("no WebSocket")
		}
		run(t, tab, mark, c, r)
	})
}

// brokenOff is a case about an answer that the API does not finish.
func brokenOff(id, raw string) suite.Case {
	return one(id, suite.Medium, "RFC 9112, 8 Handling Incomplete Messages", "An incomplete answer is not taken for a complete one.", "an answer that breaks off at the API breaks off at the browser, or is a 5xx", func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.W.API.Say(mark, hijacked(raw))
		w := world.Raw(t.S.Address, t.Fill(tab, "GET {api}"+mark+" HTTP/1.1\n{host}\n{cookie}\n{edge}\n\n"), 20*time.Second, time.Second)
		t.FailIf(w.Status() == 200 && !w.Broken && len(w.Bodies) > 0, "it looks complete: %.60q", w.Bodies)
	})
}

func bodies() []suite.Case {
	big := strings.Repeat("0123456789abcdef", 4<<16)
	return []suite.Case{
		brokenOff("streams-cut", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nfirst part"),
		brokenOff("streams-cut-chunked", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\na\r\nfirst part\r\n"),
		one("streams-upload-cut", suite.Medium, "RFC 9112, 8 Handling Incomplete Messages", "An incomplete request is not taken for a complete one.", "a body that breaks off does not reach the API as a whole one", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			c, r := open(t, tab, "POST {api}"+mark+"/cut HTTP/1.1\n{host}\n{cookie}\n{honest}\nContent-Type: text/plain\nContent-Length: 1000\n\nfirst part")
			time.Sleep(100 * time.Millisecond)
			_ = c.(*net.TCPConn).CloseWrite()
			_ = ends(c, r, 5*time.Second) // or it holds the connection for good
			_ = c.Close()
			t.FailIf(t.Wait(300*time.Millisecond, func() bool { return len(t.W.API.Calls(mark)) > 0 }), "the API got a complete call")
		}),
		one("streams-large-up", suite.Low, expectation("people upload files"), "Bodies arrive whole.", "4 MiB arrive at the API, or are refused as too large", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			a := tab.Call("POST", t.S.API+mark, big, map[string]string{"Content-Type": "application/octet-stream"})
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(c.Body != big, "%d bytes of %d arrived", len(c.Body), len(big))
			}
			t.FailIf(len(t.W.API.Calls(mark)) == 0 && a.Status != 413, "nothing arrived: %d %v", a.Status, a.Err)
		}),
		one("streams-large-down", suite.Low, expectation("people download files"), "Bodies arrive whole.", "4 MiB arrive at the browser", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, big) })
			a := tab.Get(t.S.API + mark)
			t.FailIf(a.Body != big, "%d bytes of %d, %v", len(a.Body), len(big), a.Err)
		}),
	}
}
