package transcript_test

// failureTable is APIs that fail.
var failureTable = []scenario{
	{name: "failure-unreachable", about: "An API that cannot be reached is 502; then the breaker says 503.", config: sameOrigin, play: func(p *play) {
		p.call("nobody listens", "\nGET /gone/x HTTP/1.1\nHost: shop.example.com")
		p.repeat("the breaker is open", "\nGET /gone/x HTTP/1.1\nHost: shop.example.com", "503")
	}},
	{name: "failure-reset", about: "An API that hangs up instead of answering is 502.", config: sameOrigin, play: func(p *play) {
		p.api.does("POST /base/open/x", func(c *apiCall) { c.rest(); c.hangUp() })
		p.call("a reset", "\nPOST /open/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 0")
	}},
	{name: "failure-timeout", about: "An API that does not answer in time is 504.", config: sameOrigin, play: func(p *play) {
		p.api.does("GET /base/slow/x", (*apiCall).silence)
		p.awaits(1)
		p.call("silence", "\nGET /slow/x HTTP/1.1\nHost: shop.example.com")
	}},
	{name: "failure-invalid-framing", about: "An answer that is not framed beyond doubt is 502.", config: sameOrigin, play: func(p *play) {
		for _, row := range [][2]string{
			{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
			{"a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
			{"an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"},
		} {
			p.api.does("GET /base/open/x", func(c *apiCall) { c.write(row[1]); c.close = true })
			p.call(row[0], "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
		}
	}},
	{name: "failure-invalid-head", about: "An answer whose head is malformed is 502.", config: sameOrigin, play: func(p *play) {
		for _, row := range [][2]string{
			{"a folded line", "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
			{"a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
			{"a 101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
			{"no HTTP", "SSH-2.0-x\r\n\r\n"},
		} {
			p.api.does("GET /base/open/x", func(c *apiCall) { c.write(row[1]); c.close = true })
			p.call(row[0], "\nGET /open/x HTTP/1.1\nHost: shop.example.com")
		}
	}},
}
