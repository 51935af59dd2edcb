package transcript_test

import "strings"

// gateTable is what the raw gate refuses: the first row of the contract's order.
var gateTable = []scenario{
	{name: "gate-malformed-heads", about: "The raw gate answers a malformed head with 400 and ends the connection.", config: sameOrigin, play: func(p *play) {
		for _, row := range [][2]string{
			{"a bare LF", "GET /bff/session HTTP/1.1\nHost: shop.example.com\r\n\r\n"},
			{"a control byte in a value", "GET /bff/session HTTP/1.1\r\nHost: shop.example.com\r\nX-A: a\x01b\r\n\r\n"},
			{"a folded line", "GET /bff/session HTTP/1.1\r\nHost: shop.example.com\r\nX-A: a\r\n b\r\n\r\n"},
			{"a space before the colon", "GET /bff/session HTTP/1.1\r\nHost : shop.example.com\r\n\r\n"},
			{"no Host", "GET /bff/session HTTP/1.1\r\n\r\n"},
			{"two Hosts", "GET /bff/session HTTP/1.1\r\nHost: shop.example.com\r\nHost: shop.example.com\r\n\r\n"},
			{"two lengths", "POST /bff/login HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
			{"a length and chunks", "POST /bff/login HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
			{"an unknown coding", "POST /bff/login HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
			{"HTTP/2.0", "GET /bff/session HTTP/2.0\r\nHost: shop.example.com\r\n\r\n"},
			{"a target in absolute form", "GET https://shop.example.com/bff/session HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"},
		} {
			p.exchange(row[0], row[1])
		}
	}},
	{name: "gate-methods", about: "CONNECT, TRACE and unknown methods are refused by the gate.", config: sameOrigin, play: func(p *play) {
		p.exchange("CONNECT", "CONNECT shop.example.com:443 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		p.exchange("TRACE", "TRACE /open/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		p.exchange("PROPFIND", "PROPFIND /open/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		p.exchange("letters count", "get /open/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	}},
	{name: "gate-too-long", about: "A head or a target that is too long is 431.", config: changed(sameOrigin, "drain:", "limits: {header: 1KiB}\ndrain:"), play: func(p *play) {
		p.exchange("a long header", "GET /open/x HTTP/1.1\r\nHost: shop.example.com\r\nX-Long: "+strings.Repeat("a", 1000)+"\r\n\r\n")
		p.exchange("a long target", "GET /open/"+strings.Repeat("a", 1020)+" HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	}},
	{name: "gate-slow-head", about: "A head that does not arrive in time is 408.", config: changed(sameOrigin, "drain:", "limits: {header_timeout: 300ms}\ndrain:"), play: func(p *play) {
		p.exchange("half a head", "GET /open/x HTTP/1.1\r\nHost: shop.exa")
	}},
	{name: "gate-expectations", about: "An unknown expectation is 417; 100-continue asks for the body.", config: sameOrigin, play: func(p *play) {
		p.exchange("an unknown expectation", "POST /open/x HTTP/1.1\r\nHost: shop.example.com\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\n")
		p.api.on("POST /base/open/x", plain)
		p.begin("100-continue: the body is sent only once it is asked for")
		c := p.dial(p.program.public)
		c.send(wire("\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nExpect: 100-continue\nContent-Length: 4"))
		interim := c.readHead()
		p.add(received, interim.head)
		c.send("body")
		c.read()
		p.flush(1)
		p.begin("100-continue, refused before the body: nothing asks for it")
		c = p.dial(p.program.public)
		c.send(wire("\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nExpect: 100-continue\nContent-Length: 4"))
		c.read()
		p.flush(1)
	}},
	{name: "gate-http10", about: "To an HTTP/1.0 caller nothing is chunked; the body ends with the connection.", config: sameOrigin, play: func(p *play) {
		p.api.on("GET /base/open/x", plain, "\nHTTP/1.1 200 OK\nContent-Type: text/plain\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n")
		p.call("a body with a length", "\nGET /open/x HTTP/1.0\nHost: shop.example.com")
		p.call("a body in chunks", "\nGET /open/x HTTP/1.0\nHost: shop.example.com")
		p.begin("a body that comes piece by piece: the second once the browser has the first")
		more := make(chan struct{})
		p.api.does("GET /base/open/x", func(c *apiCall) {
			c.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			<-more
			c.write("6\r\n world\r\n0\r\n\r\n")
		})
		c := p.ready()
		c.send(wire("\nGET /open/x HTTP/1.0\nHost: shop.example.com"))
		c.readHead()
		c.until("hello")
		close(more)
		c.finish(c.open)
		p.flush(1)
		p.call("a problem", "\nGET /nowhere HTTP/1.0\nHost: shop.example.com")
	}},
}
