package transcript_test

// headerTable is what is passed on, and what is not, in both directions.
var headerTable = []scenario{
	{name: "headers-to-the-api", about: "What a browser's request does not carry to the API, and what is put there.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.api.on("GET /base/v1/thing", plain)
		p.call("everything that is held back, and some that is not", `
GET /api/thing?q=1 HTTP/1.1
Host: shop.example.com:8443
Cookie: {__Host-Http-shop}; theme=dark
Origin: https://shop.example.com
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: https://shop.example.com/cart
User-Agent: Browser/1
Accept: application/json
Accept-Encoding: gzip, br
Accept-Language: en
If-None-Match: "1"
Range: bytes=0-1
Authorization: Bearer forged
X-Api-Key: forged
Connection: keep-alive, X-Named, X-Request-Id
X-Named: named by Connection
Keep-Alive: timeout=5
Proxy-Connection: keep-alive
TE: trailers
Trailer: X-T
Upgrade: h2c
HTTP2-Settings: AAMAAABkAAQAAP__
X-CSRF: 1
X-XSRF-TOKEN: token
X-Frontend: shop
Forwarded: for=192.0.2.1
X-Forwarded-For: 192.0.2.1
X-Forwarded-Host: evil.example.com
X-Forwarded-Proto: http
X-Forwarded-Port: 1
X-Forwarded-Prefix: /p
X-Forwarded-User: root
X-HTTP-Method: DELETE
X-HTTP-Method-Override: DELETE
X-Method-Override: DELETE
X-Real-IP: 192.0.2.1
True-Client-IP: 192.0.2.1
CF-Connecting-IP: 192.0.2.1
X-Client-IP: 192.0.2.1
X-Cluster-Client-IP: 192.0.2.1
X-Original-URL: /admin
X-Original-Host: evil.example.com
X-Rewrite-URL: /admin
X-Accel-Internal: /x
X-Middleware-Subrequest: x
X-Request-Id: from-a-stranger
Via: 1.1 proxy
Proxy: http://evil.example.com
Proxy-Authorization: Basic eDp5
X_Underscore: a
X.Dot: a
X-Custom: one
X-Custom: two
Coatcheck-Error: forged`)
	}},
	{name: "headers-to-the-browser", about: "What an API's answer does not carry to the browser, and what is put there.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.api.on("GET /base/v1/thing", `
HTTP/1.1 200 Very Well
Content-Type: text/html; charset=utf-8
Content-Length: {length}
Connection: keep-alive, X-Named
X-Named: named by Connection
Keep-Alive: timeout=5
Proxy-Connection: keep-alive
Upgrade: h2c
Trailer: X-T
Set-Cookie: sid=1; Path=/
Set-Cookie2: sid=1
Access-Control-Allow-Origin: *
Access-Control-Allow-Credentials: true
WWW-Authenticate: Basic realm="x"
Proxy-Authenticate: Basic
Strict-Transport-Security: max-age=0
Clear-Site-Data: "*"
Alt-Svc: h3=":443"
Service-Worker-Allowed: /
Refresh: 0; url=https://evil.example.com
NEL: {"report_to":"x"}
Report-To: {}
Reporting-Endpoints: x="https://evil.example.com"
Speculation-Rules: "/rules.json"
Secure-Session-Registration: (ES256)
Public-Key-Pins: pin
Public-Key-Pins-Report-Only: pin
Coatcheck-Error: forged
Coatcheck-Idle-Expires-In: 1
X-Request-Id: the-api's
X-Accel-Redirect: /secret
X-Sendfile: /etc/passwd
Server: Api/1
X-Powered-By: PHP
Date: Thu, 01 Jan 1970 00:00:00 GMT
Authorization: Bearer leaked
X-Api-Key: leaked
X-Hidden: hidden
X_Underscore: a
Content-Security-Policy: default-src *
Content-Security-Policy-Report-Only: default-src *
Cross-Origin-Resource-Policy: cross-origin
X-Content-Type-Options: none
X-Frame-Options: DENY
ETag: "1"
Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT
Content-Language: en
Link: </a>; rel=next
Link: </b>; rel=prev
Retry-After: 7
X-Custom: one
X-Custom: two

<p>hello</p>`)
		p.call("everything that is held back, and some that is not", getThing)
		p.api.on("GET /base/v1/thing", "\nHTTP/1.1 407 Proxy Authentication Required\nProxy-Authenticate: Basic\nContent-Length: 0")
		p.call("407", getThing)
	}},
	{name: "headers-isolation", about: "An API's document is sandboxed, but for PDF and where isolate is false.", config: sameOrigin, play: func(p *play) {
		const answer = "\nHTTP/1.1 200 OK\nContent-Security-Policy: default-src *\nContent-Length: 0\nContent-Type: "
		for _, row := range [][2]string{{"/open/page", "text/html"}, {"/open/pdf", "application/pdf"}, {"/open/pdf2", "application/pdf; version=1"}, {"/open/svg", "image/svg+xml"}, {"/documents/page", "text/html"}} {
			p.api.on("GET /base"+row[0], answer+row[1])
			p.call(row[0]+", "+row[1], "\nGET "+row[0]+" HTTP/1.1\nHost: shop.example.com")
		}
		p.call("isolate: false lets scripts load", "\nGET /documents/page HTTP/1.1\nHost: shop.example.com\nSec-Fetch-Site: same-origin\nSec-Fetch-Dest: script")
	}},
	{name: "headers-caching", about: "Answers of session routes leave as private; those of open routes as the API says.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		policies := []string{"", "Cache-Control: public, max-age=60, s-maxage=600, proxy-revalidate", "Cache-Control: no-store", `Cache-Control: no-cache="a, b", private="c"`,
			"Expires: Thu, 01 Jan 2099 00:00:00 GMT", "Cache-Control: max-age=1\nCache-Control: must-revalidate\nCDN-Cache-Control: max-age=9\nCloudflare-CDN-Cache-Control: max-age=9\nSurrogate-Control: max-age=9\nVary: Accept"}
		for _, policy := range policies {
			answer := "\nHTTP/1.1 200 OK\nContent-Length: 0"
			if policy != "" {
				answer += "\n" + policy
			}
			p.api.on("GET /base/v1/thing", answer)
			p.api.on("GET /base/maybe/thing", answer)
			p.api.on("GET /base/open/thing", answer)
			p.call("required", getThing)
			p.call("optional, nobody there", "\nGET /maybe/thing HTTP/1.1\nHost: shop.example.com")
			p.call("none", "\nGET /open/thing HTTP/1.1\nHost: shop.example.com")
		}
	}},
	{name: "headers-location", about: "Addresses of the upstream are rewritten by the route that served the call; others pass.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		for _, location := range []string{"http://{api}/base/v1/next?a=1#b", "/base/v1/next", "/base/elsewhere", "http://{api}/elsewhere", "https://{api}/base/v1/next",
			"//{api}/base/v1/next", "next", "../next", "?page=2", "https://shop.example.com/base/v1/next", "https://evil.example.com/base/v1/next", ""} {
			p.api.on("GET /base/v1/thing", "\nHTTP/1.1 302 Found\nLocation: "+location+"\nContent-Location: "+location+"\nLink: <"+location+">; rel=next\nContent-Length: 0")
			p.call("Location: "+location, getThing)
		}
	}},
	{name: "headers-trusted-proxy", about: "A trusted proxy's X-Forwarded-For, -Host and X-Request-Id count.", config: sharedHost, play: func(p *play) {
		p.api.on("GET /open/x", plain)
		const get = "\nGET /open/x HTTP/1.1\nHost: internal\nOrigin: https://shop.example.com\n"
		p.call("all three", get+"X-Forwarded-Host: bff.example.com\nX-Forwarded-For: 203.0.113.7, 198.51.100.1:4711\nX-Forwarded-For: 127.0.0.9\nX-Request-Id: from-the-front.1")
		p.call("two hosts", get+"X-Forwarded-Host: bff.example.com, bff.example.com")
		p.call("an address that cannot be read", get+"X-Forwarded-Host: bff.example.com\nX-Forwarded-For: unknown, [2001:db8::1]:80\nX-Request-Id: not one!")
	}},
}
