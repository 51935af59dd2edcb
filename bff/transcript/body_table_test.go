package transcript_test

import (
	"fmt"
	"strings"
)

// bodyTable is how bodies go both ways, and how an answer's framing is kept.
var bodyTable = []scenario{
	{name: "body-request-framing", about: "Requests' bodies arrive at the API as they were sent.", config: sameOrigin, play: func(p *play) {
		const post = "\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\n"
		p.api.on("POST /base/open/x", plain)
		p.api.on("GET /base/open/x", plain)
		p.api.on("DELETE /base/open/x", plain)
		p.call("a length", post+"Content-Type: text/plain\nContent-Length: {length}\n\nhello")
		p.call("no body", post+"Content-Length: 0")
		p.call("neither length nor body", strings.TrimSuffix(post, "\n"))
		p.exchange("chunks, with an extension and a trailer", wire(post+"Transfer-Encoding: chunked\nTrailer: X-Sum\n\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"))
		p.exchange("a GET with a body", wire("\nGET /open/x HTTP/1.1\nHost: shop.example.com\nContent-Length: 2\n\nhi"))
		p.call("a DELETE without one", "\nDELETE /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1")
	}},
	{name: "body-request-broken", about: "Chunks that are broken are 400. What the API sees of such a call is a matter of luck.", config: sameOrigin, loose: []string{"bytes_in"}, play: func(p *play) {
		const post = "\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\n"
		p.api.does("POST /base/open/x", func(c *apiCall) {
			c.hidden = true
			c.rest()
			c.close = true
		})
		p.exchange("a length that is none", wire(post+"Transfer-Encoding: chunked\n\nzz\r\nhello\r\n"))
	}},
	{name: "body-answer-framing", about: "Answers' bodies arrive at the browser as the API sent them.", config: sameOrigin, play: func(p *play) {
		const get = "\nGET /open/x HTTP/1.1\nHost: shop.example.com"
		p.api.on("GET /base/open/x", plain)
		p.call("a length", get)
		p.api.on("GET /base/open/x", "\nHTTP/1.1 200 OK\nContent-Type: text/plain\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n")
		p.call("chunks", get)
		p.api.on("GET /base/open/x", "\nHTTP/1.1 200 OK\nContent-Type: text/plain\nTransfer-Encoding: chunked\nTrailer: X-Sum, Set-Cookie, X-Also\n\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\nX-Unnamed: 1\r\nX-Also: 2\r\n\r\n")
		p.call("trailers", get)
		p.api.on("GET /base/open/x", "\nHTTP/1.1 200 OK\nContent-Type: text/plain\nConnection: close\n\nuntil the end")
		p.call("until the connection ends", get)
		p.api.on("GET /base/open/x", "\nHTTP/1.0 200 OK\nContent-Type: text/plain\nConnection: close\n\nuntil the end")
		p.call("an HTTP/1.0 API", get)
		p.begin("a length, piece by piece: the second once the browser has the first")
		more := make(chan struct{})
		half := strings.Repeat("0123456789abcdef", 4096+1) // more than is held back for being whole
		p.api.does("GET /base/open/x", func(c *apiCall) {
			c.write(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", 2*len(half), half))
			<-more
			c.write(half)
		})
		c := p.ready()
		c.send(wire(get))
		c.readHead()
		c.until(half)
		close(more)
		c.finish(c.open)
		if c.open.body.String() != half+half {
			p.t.Error("the body is not what the API sent")
		}
		p.flush(1)
		p.api.on("GET /base/open/x", "\nHTTP/1.1 204 No Content", "\nHTTP/1.1 304 Not Modified\nETag: \"1\"")
		p.call("204", get)
		p.call("304", get)
		p.api.on("GET /base/open/x", "\nHTTP/1.1 103 Early Hints\nLink: </a.css>; rel=preload\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		p.call("interim answers are skipped", get)
		p.api.on("GET /base/open/x", "\nHTTP/1.1 418 I'm a teapot\nContent-Length: 0")
		p.call("a status without a name of ours", get)
	}},
	{name: "body-head", about: "HEAD: the head of a GET, and no body.", config: sameOrigin, play: func(p *play) {
		p.api.on("HEAD /base/open/x", "\nHTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 5", "\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked")
		p.call("a proxied answer", "\nHEAD /open/x HTTP/1.1\nHost: shop.example.com")
		p.call("a proxied answer in chunks", "\nHEAD /open/x HTTP/1.1\nHost: shop.example.com")
		p.call("our own document", "\nHEAD /bff/session HTTP/1.1\nHost: shop.example.com")
		p.call("a problem", "\nHEAD /nowhere HTTP/1.1\nHost: shop.example.com")
		p.call("the session list", "\nHEAD /bff/sessions HTTP/1.1\nHost: shop.example.com")
	}},
	{name: "body-cut-off", about: "A body that breaks off is not completed.", config: sameOrigin, play: func(p *play) {
		p.api.does("GET /base/open/x", func(c *apiCall) {
			c.rest()
			c.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf")
			c.close = true
		}, func(c *apiCall) {
			c.rest()
			c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
			c.close = true
		})
		p.call("a length that is not reached", "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
		p.call("no last chunk", "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
	}},
	{name: "body-early-answer", about: "An answer that comes while the body is still coming is passed on; the connection ends behind it.", config: sameOrigin, loose: []string{"bytes_in"}, play: func(p *play) {
		p.api.does("POST /base/open/x", func(c *apiCall) {
			c.write(wire("\nHTTP/1.1 413 Content Too Large\nContent-Type: text/plain\nConnection: close\nContent-Length: 8\n\ntoo much"))
			c.close = true
		})
		p.begin("the API has seen enough after the head")
		c := p.dial(p.program.public)
		c.send(wire("\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 100000\n\n0123456789"))
		c.read()
		p.flush(1)
	}},
	{name: "body-stale-connection", about: "A stale pooled connection is retried once, for methods that may be repeated.", config: sameOrigin, play: func(p *play) {
		gone := func(c *apiCall) {
			c.rest()
			c.close = true
		}
		ok := func(c *apiCall) {
			c.rest()
			c.write(wire(plain))
		}
		p.api.does("GET /base/open/x", ok, gone, ok, ok, gone, ok)
		p.api.does("POST /base/open/x", gone, ok)
		p.call("a first call leaves a connection in the pool", "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
		p.call("the API ends it on the next: tried again", "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
		p.call("a call that leaves a connection in the pool", "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
		p.call("a POST is not tried again", "\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: {length}\n\nhello")
	}},
	{name: "body-pipelined", about: "Two requests in one packet are answered one after the other.", config: sameOrigin, play: func(p *play) {
		p.api.on("GET /base/open/1", plain)
		p.api.on("GET /base/open/2", plain)
		p.begin("two at once")
		c := p.dial(p.program.public)
		c.send(wire("\nGET /open/1 HTTP/1.1\nHost: shop.example.com") + wire("\nGET /open/2 HTTP/1.1\nHost: shop.example.com\nConnection: close"))
		c.read()
		c.read()
		p.flush(2)
	}},
}
