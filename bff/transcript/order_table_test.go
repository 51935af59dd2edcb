package transcript_test

import "strings"

// orderTable is the contract's order behind the gate, row by row: path, host,
// frontend, preflight, guard, route, method, session, body.
var orderTable = []scenario{
	{name: "order-path", about: "Ambiguous paths are 400 bad_path; what is not ambiguous goes on byte for byte.", config: sameOrigin, play: func(p *play) {
		for _, path := range []string{"/api/../x", "/api/%2e%2e/x", "/api/..;a=b/x", "/api/a%2Fb", "/api/a%5Cb", `/api/a\b`, "/api/a%00b", "/api/a%7fb", "/api/a%zz", "/api/a#b", "//api/x"} {
			p.call(path, "\nGET "+path+" HTTP/1.1\nHost: shop.example.com")
		}
		p.signIn()
		p.api.on("GET /base/v1/%252e%41;v=1,2", plain)
		p.call("escapes, parameters and repeated keys stay", "\nGET /api/%252e%41;v=1,2?a=%zz&a=%2F&b=[] HTTP/1.1\nHost: shop.example.com\nCookie: {__Host-Http-shop}")
		p.api.on("GET /base/whole/a%2Fb", plain)
		p.call("encoded_slash: pass", "\nGET /whole/a%2Fb HTTP/1.1\nHost: shop.example.com\nCookie: {__Host-Http-shop}")
	}},
	{name: "order-host", about: "An unknown host is 421; port, case and one dot at the end do not count.", config: sameOrigin, play: func(p *play) {
		p.call("unknown", "\nGET /bff/session HTTP/1.1\nHost: evil.example.com")
		p.call("a path that is refused comes before the host", "\nGET /../x HTTP/1.1\nHost: evil.example.com")
		p.call("a %2F that some route lets pass comes behind the host", "\nGET /api/a%2Fb HTTP/1.1\nHost: evil.example.com")
		p.call("and before a preflight", "\nOPTIONS /api/a%2Fb HTTP/1.1\nHost: shop.example.com\nOrigin: https://shop.example.com\nAccess-Control-Request-Method: GET")
		p.call("case, dot and port", "\nGET /bff/session HTTP/1.1\nHost: SHOP.example.com.:8443")
		p.call("X-Forwarded-Host of a stranger", "\nGET /bff/session HTTP/1.1\nHost: evil.example.com\nX-Forwarded-Host: shop.example.com")
	}},
	{name: "order-guard", about: "The guard: each refusal has a code of its own, in order.", config: sameOrigin, play: func(p *play) {
		const get, post = "\nGET /api/thing HTTP/1.1\nHost: shop.example.com\n", "\nPOST /api/thing HTTP/1.1\nHost: shop.example.com\nContent-Length: 0\n"
		p.call("an origin that is not listed", get+"Origin: https://evil.example.com")
		p.call("null", get+"Origin: null")
		p.call("two origins", get+"Origin: https://shop.example.com\nOrigin: https://shop.example.com")
		p.call("cross-site", get+"Sec-Fetch-Site: cross-site")
		p.call("same-site without an origin", get+"Sec-Fetch-Site: same-site")
		p.call("Sec-Fetch-Site twice", get+"Sec-Fetch-Site: same-origin\nSec-Fetch-Site: same-origin")
		p.call("none on an unsafe method", post+"Sec-Fetch-Site: none\nX-CSRF: 1")
		p.call("no X-CSRF", post+"Origin: https://shop.example.com")
		p.call("another X-CSRF", post+"Origin: https://shop.example.com\nX-CSRF: 2")
		p.call("an empty X-XSRF-TOKEN", post+"Origin: https://shop.example.com\nX-XSRF-TOKEN:")
		p.call("a native client without X-CSRF", post+"User-Agent: curl")
		p.call("a destination that runs", get+"Sec-Fetch-Site: same-origin\nSec-Fetch-Dest: script")
		p.call("a service worker", get+"Service-Worker: script")
		p.call("passes: next is the session", post+"Origin: https://shop.example.com\nX-XSRF-TOKEN: any")
		p.call("a native client passes with X-CSRF", post+"X-CSRF: 1")
		p.api.on("POST /base/hooks/x", plain)
		p.call("guard: false", "\nPOST /hooks/x HTTP/1.1\nHost: shop.example.com\nContent-Length: 0\nSec-Fetch-Site: cross-site")
	}},
	{name: "order-route-and-method", about: "Route and method: 404 where nothing is, 405 with Allow; sign-in and private paths are closed.", config: sameOrigin, play: func(p *play) {
		const host = " HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1"
		for _, line := range []string{"GET /", "GET /api", "GET /apix", "GET /bff/nothing", "POST /bff/session/x", "GET /bff/login", "PUT /bff/session",
			"DELETE /whole/x", "POST /open/login", "GET /open/../login"} {
			p.call(line, "\n"+line+host)
		}
		p.note("closed paths, on a route that could reach them:")
		for _, line := range []string{"GET /login", "POST /LOGIN/", "POST //login", "POST /log%69n;a=b", "GET /internal/x", "GET /refresh", "GET /mfa"} {
			method, path, _ := strings.Cut(line, " ")
			p.call(line, "\n"+method+" /root"+path+host)
		}
	}},
	{name: "order-session", about: "Sessions: required, optional, none; tickets of another form are none.", config: sameOrigin, play: func(p *play) {
		const dead = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		const get = "\nGET /api/thing HTTP/1.1\nHost: shop.example.com\nCookie: "
		p.call("no cookie", "\nGET /api/thing HTTP/1.1\nHost: shop.example.com")
		p.call("another form", get+"__Host-Http-shop=short")
		p.call("quoted", get+`__Host-Http-shop="`+dead+`"`)
		p.call("two values", get+"__Host-Http-shop="+dead+"; __Host-Http-shop=B"+dead[1:])
		p.call("a dead ticket", get+"__Host-Http-shop="+dead)
		p.api.on("GET /base/maybe/x", plain)
		p.api.on("GET /base/open/x", plain)
		p.call("optional, without a ticket", "\nGET /maybe/x HTTP/1.1\nHost: shop.example.com")
		p.call("optional, with a dead ticket", "\nGET /maybe/x HTTP/1.1\nHost: shop.example.com\nCookie: __Host-Http-shop="+dead)
		p.call("none", "\nGET /open/x HTTP/1.1\nHost: shop.example.com\nCookie: __Host-Http-shop="+dead)
		p.signIn()
		p.call("optional, signed in", "\nGET /maybe/x HTTP/1.1\nHost: shop.example.com\nCookie: {__Host-Http-shop}")
		p.other.on("GET /other/x", plain)
		p.call("another upstream is not given the token", "\nGET /other/x HTTP/1.1\nHost: shop.example.com\nCookie: {__Host-Http-shop}")
	}},
	{name: "order-body", about: "A body that is too large is 413, behind all other checks.", config: sameOrigin, play: func(p *play) {
		p.exchange("a length that is too large", wire("\nPOST /small/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 11\n\nhello world"))
		p.call("the guard comes first", "\nPOST /small/x HTTP/1.1\nHost: shop.example.com\nContent-Length: 11\n\nhello world")
		p.api.on("POST /base/small/x", plain)
		p.exchange("at the limit", wire("\nPOST /small/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 10\n\nhello worl"))
	}},
	{name: "order-body-slow", about: "A body that does not arrive in time is 408.", config: changed(sameOrigin, "drain:", "limits: {body_idle: 1s}\ndrain:"), play: func(p *play) {
		p.exchange("half a body", wire("\nPOST /small/x HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nContent-Length: 10\n\nhello"))
	}},
}
