package transcript_test

import "strings"

// sharedTable is the layout with a shared host: choosing the frontend, and CORS.
var sharedTable = []scenario{
	{name: "shared-choosing-the-frontend", about: "Origin, X-Frontend, base path and a route without guard choose the frontend; else 400.", config: sharedHost, play: func(p *play) {
		const at = " HTTP/1.1\nHost: bff.example.com\n"
		p.call("nothing says which", "\nGET /bff/session"+at)
		p.call("Origin", "\nGET /bff/session"+at+"Origin: https://admin.example.com")
		p.call("Origin of nobody", "\nGET /bff/session"+at+"Origin: https://evil.example.com")
		p.call("X-Frontend of a native client", "\nGET /bff/session"+at+"X-Frontend: admin")
		p.call("X-Frontend does not count beside Sec-Fetch-Site", "\nGET /bff/session"+at+"X-Frontend: admin\nSec-Fetch-Site: same-site")
		p.call("X-Frontend that is none", "\nGET /bff/session"+at+"X-Frontend: nobody")
		p.api.on("POST /hooks/x", plain)
		p.call("the only route without guard", "\nPOST /hooks/x"+at+"Content-Length: 0")
		p.api.on("GET /x", plain)
		p.api.on("GET /api/x", plain)
		p.call("the left base path", "\nGET /left/api/x HTTP/1.1\nHost: both.example.com")
		p.call("the right base path", "\nGET /right/api/x HTTP/1.1\nHost: both.example.com")
		p.call("a base path ends at a segment", "\nGET /lefty/api/x HTTP/1.1\nHost: both.example.com")
		p.call("our own addresses are below it", "\nGET /right/bff/session HTTP/1.1\nHost: both.example.com\nSec-Fetch-Site: same-origin")
	}},
	{name: "shared-preflight", about: "Preflights: what pages of a listed origin may send.", config: sharedHost, play: func(p *play) {
		const ask = " HTTP/1.1\nHost: bff.example.com\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: x-csrf\nOrigin: https://"
		p.call("a route", "\nOPTIONS /api/thing"+ask+"shop.example.com")
		p.call("another frontend", "\nOPTIONS /hooks/x"+ask+"admin.example.com")
		p.call("an address of ours", "\nOPTIONS /bff/login"+ask+"shop.example.com")
		p.call("no route", "\nOPTIONS /nowhere"+ask+"shop.example.com")
		p.call("a foreign origin", "\nOPTIONS /api/thing"+ask+"evil.example.com")
		p.call("an ambiguous path", "\nOPTIONS /api/../x"+ask+"shop.example.com")
		p.call("OPTIONS that is no preflight", "\nOPTIONS /api/thing HTTP/1.1\nHost: bff.example.com\nOrigin: https://shop.example.com")
	}},
	{name: "shared-two-people", about: "Two people in one browser: each frontend has a cookie and CORS headers of its own.", config: sharedHost, play: func(p *play) {
		at := func(frontend string) string {
			return strings.NewReplacer("Host: shop.example.com", "Host: bff.example.com", "https://shop.", "https://"+frontend+".", "same-origin", "same-site").Replace(login)
		}
		p.api.on("POST /login", signedIn, strings.NewReplacer(`"ada"`, `"root"`, "token-1", "token-2").Replace(signedIn))
		p.call("sign-in at shop", at("shop"))
		p.call("sign-in at admin", at("admin"))
		const both = "Cookie: {__Host-Http-shop}; {__Host-Http-admin}"
		const get = "\nGET /api/thing HTTP/1.1\nHost: bff.example.com\nSec-Fetch-Site: same-site\n" + both + "\n"
		p.api.on("GET /api/thing", "\nHTTP/1.1 200 OK\nContent-Length: 0\nVary: Accept\nAccess-Control-Allow-Origin: *")
		p.call("shop's page", get+"Origin: https://shop.example.com")
		p.call("admin's page", get+"Origin: https://admin.example.com")
		p.call("csrf_header: off", strings.Replace(get, "GET", "POST", 1)+"Origin: https://shop.example.com\nContent-Length: 0")
		p.call("an image: no origin", get+"Sec-Fetch-Dest: image")
		p.call("sign-out at shop", "\nPOST /bff/logout HTTP/1.1\nHost: bff.example.com\nOrigin: https://shop.example.com\nX-CSRF: 1\nContent-Length: 0\n"+both)
		p.call("a problem can be read", get+"Origin: https://shop.example.com")
		p.call("admin is still signed in", get+"Origin: https://admin.example.com")
		p.call("a problem before the frontend is known", "\nGET /api/../x HTTP/1.1\nHost: bff.example.com\nOrigin: https://shop.example.com")
		p.words["{swapped}"] = strings.Replace(p.words["{__Host-Http-admin}"], "admin", "shop", 1)
		p.call("a ticket under another frontend's name", "\nGET /api/thing HTTP/1.1\nHost: bff.example.com\nOrigin: https://shop.example.com\nCookie: {swapped}")
	}},
}
