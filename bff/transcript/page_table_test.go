package transcript_test

// pageTable is files: the browser client, and an application's pages.
var pageTable = []scenario{
	{name: "client-js", about: "The browser client and its validators.", config: sameOrigin, play: func(p *play) {
		const get = "\nGET /bff/client.js HTTP/1.1\nHost: shop.example.com\n"
		m := p.call("whole", get+"Sec-Fetch-Site: same-origin\nSec-Fetch-Dest: script")
		p.words["{etag}"], _ = field(m.head, "etag")
		p.call("the browser has it", get+"If-None-Match: {etag}")
		p.call("compressed, it has another validator", get+"Accept-Encoding: gzip, br\nIf-None-Match: {etag}")
		p.call("HEAD", "\nHEAD /bff/client.js HTTP/1.1\nHost: shop.example.com")
		p.call("POST", "\nPOST /bff/client.js HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 0")
	}},
	{name: "pages", about: "An application's files: validators, parts, compression, navigations.", config: withPages, play: func(p *play) {
		get := func(path, more string) string { return "\nGET " + path + " HTTP/1.1\nHost: shop.example.com" + more }
		p.call("the index", get("/", "\nAccept: text/html"))
		p.call("a link into the application", get("/orders/7", "\nSec-Fetch-Mode: navigate\nSec-Fetch-Site: cross-site"))
		p.call("a file whose name is its hash", get("/assets/app-BX3kq2Lh.js", ""))
		p.call("compressed", get("/assets/app-BX3kq2Lh.js", "\nAccept-Encoding: br, gzip"))
		p.call("a plain file", get("/robots.txt", ""))
		p.call("HEAD", "\nHEAD /robots.txt HTTP/1.1\nHost: shop.example.com")
		p.call("the browser has it", get("/robots.txt", "\nIf-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT"))
		p.call("a part", get("/robots.txt", "\nRange: bytes=0-2"))
		p.call("a part behind the end", get("/robots.txt", "\nRange: bytes=100-"))
		p.call("a file that is missing", get("/assets/gone.js", "\nSec-Fetch-Mode: no-cors"))
		p.call("a hidden file", get("/.env", ""))
		p.call("another method", "\nPOST /orders HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 0")
		p.call("a route is no page", get("/api/thing", "\nSec-Fetch-Mode: navigate\nSec-Fetch-Site: same-origin"))
	}},
	{name: "pages-inline-session", about: "The index of somebody who is signed in has the session document in it, and is kept nowhere.", config: withPages, play: func(p *play) {
		p.signIn()
		p.call("signed in", "\nGET / HTTP/1.1\nHost: shop.example.com\nAccept: text/html\nCookie: {__Host-Http-shop}")
		p.call("HEAD", "\nHEAD / HTTP/1.1\nHost: shop.example.com\nAccept: text/html\nCookie: {__Host-Http-shop}")
		p.call("a dead ticket", "\nGET / HTTP/1.1\nHost: shop.example.com\nAccept: text/html\nCookie: __Host-Http-shop=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	}},
}
