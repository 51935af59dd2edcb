package transcript_test

import (
	"io"
	"strings"
)

// A handshake, with the key and the answer of RFC 6455 §1.3.
const (
	handshake = `
GET /ws/echo HTTP/1.1
Host: shop.example.com
Origin: https://shop.example.com
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Protocol: chat, other
Cookie: {__Host-Http-shop}`
	switching = `
HTTP/1.1 101 Switching Protocols
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Protocol: chat
Set-Cookie: a=b
Server: Api/1`

	maskedHello = "\x81\x85\x00\x00\x00\x00hello"
	hello       = "\x81\x05hello"
	maskedClose = "\x88\x82\x00\x00\x00\x00\x03\xe8"
	closed1000  = "\x88\x02\x03\xe8"
	closed1001  = "\x88\x02\x03\xe9"
	closed1008  = "\x88\x02\x03\xf0"
)

// take reads so many raw bytes that the program sends to the API.
func (c *apiCall) take(n int) {
	buf := make([]byte, n)
	n, _ = io.ReadFull(c.in, buf)
	c.body.Write(buf[:n])
}

// toTheEnd reads until the program ends the connection.
func (c *apiCall) toTheEnd() {
	b, _ := io.ReadAll(c.in)
	c.body.Write(b)
	c.close = true
}

// frames reads so many raw bytes that the program sends to the browser.
func (b *browser) frames(n int) {
	b.p.t.Helper()
	buf := make([]byte, n)
	if n, err := io.ReadFull(b.in, buf); err != nil {
		b.p.t.Fatalf("%d of %d bytes: %v\n%s", n, len(buf), err, b.p.transcriptSoFar())
	}
	b.p.add(received, string(buf))
}

// upgraded reads the head of an answer 101.
func (b *browser) upgraded() {
	b.p.t.Helper()
	b.p.add(received, b.readHead().head)
}

// events opens an event stream and reads the first event. The API sends the second
// once more is closed.
func (p *play) events(more chan struct{}) *browser {
	p.t.Helper()
	p.api.does("GET /base/v1/events", func(c *apiCall) {
		c.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
		if more == nil {
			c.toTheEnd()
			return
		}
		<-more
		c.write("9\r\ndata: 2\n\n\r\n0\r\n\r\n")
	})
	c := p.dial(p.program.public)
	c.send(wire(strings.Replace(getThing, "/thing", "/events", 1)))
	c.readHead()
	c.until("data: 1\n\n")
	return c
}

// echo makes the API one that takes a frame, sends it back, and waits for the end.
func (p *play) socket(then func(*apiCall)) *browser {
	p.t.Helper()
	p.api.does("GET /base/ws/echo", func(c *apiCall) {
		c.write(wire(switching))
		then(c)
		c.toTheEnd()
	})
	c := p.dial(p.program.public)
	c.send(wire(handshake))
	c.upgraded()
	return c
}

// streamTable is what stays open: event streams and WebSockets.
var streamTable = []scenario{
	{name: "stream-events", about: "Events arrive as they are sent.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.begin("the API sends the second event only once the browser has the first")
		more := make(chan struct{})
		c := p.events(more)
		close(more)
		c.finish(c.open)
		p.flush(1)
	}},
	{name: "stream-events-signed-out", about: "An event stream ends with its session, between two events.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.begin("the stream is open when its session is signed out")
		p.api.on("POST /base/logout", nothing)
		c := p.events(nil)
		d := p.dial(p.program.public)
		d.send(wire(logout))
		d.read()
		p.awaits(2)
		c.finish(c.open)
		p.flush(2)
	}},
	{name: "stream-websocket", about: "A WebSocket: handshake, echo and close.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.begin("opened, used and closed by the browser")
		c := p.socket(func(c *apiCall) {
			c.take(len(maskedHello))
			c.write(hello)
			c.take(len(maskedClose))
			c.write(closed1000)
			c.close = true
		})
		c.send(maskedHello)
		c.frames(len(hello))
		c.send(maskedClose)
		c.frames(len(closed1000))
		_ = c.Close()
		p.flush(1)
	}},
	{name: "stream-websocket-signed-out", about: "A WebSocket ends with its session: close code 1008.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.begin("the socket is open when its session is signed out")
		p.api.on("POST /base/logout", nothing)
		c := p.socket(func(*apiCall) {})
		d := p.dial(p.program.public)
		d.send(wire(logout))
		d.read()
		p.awaits(2)
		c.frames(len(closed1008))
		_ = c.Close()
		p.flush(2)
	}},
	{name: "stream-websocket-refused", about: "Handshakes that are refused, and an API that does not speak WebSocket.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		without := func(text, line string) string { return strings.Replace(text, line, "", 1) }
		p.call("a foreign origin", strings.Replace(handshake, "https://shop", "https://evil", 1))
		p.call("no origin and no X-CSRF", without(handshake, "Origin: https://shop.example.com\n"))
		p.call("no key", without(handshake, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"))
		p.call("another version", strings.Replace(handshake, "Version: 13", "Version: 8", 1))
		p.call("no session", without(handshake, "\nCookie: {__Host-Http-shop}"))
		p.api.on("GET /base/ws/echo", strings.Replace(switching, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1)+"\nConnection: close")
		p.call("the API answers another key", handshake)
		p.api.on("GET /base/ws/echo", strings.Replace(switching, "Protocol: chat", "Protocol: unasked", 1)+"\nConnection: close")
		p.call("the API chooses a protocol that nobody offered", handshake)
		p.api.on("GET /base/ws/echo", "\nHTTP/1.1 403 Forbidden\nContent-Length: 0")
		p.call("the API refuses", handshake)
		p.api.on("GET /base/v1/echo", plain)
		p.call("on a route without WebSockets the upgrade is dropped", strings.Replace(handshake, "/ws/", "/api/", 1))
	}},
	{name: "stream-browser-leaves", about: "A browser that leaves ends the API's call: 499 in the log.", config: sameOrigin, play: func(p *play) {
		p.api.does("GET /base/open/x", func(c *apiCall) { c.toTheEnd() })
		p.begin("the browser leaves while the API is at work")
		c := p.dial(p.program.public)
		c.send(wire("\nGET /open/x HTTP/1.1\nHost: shop.example.com"))
		p.sees(p.api, 1)
		_ = c.Close()
		p.flush(1)
	}},
}
