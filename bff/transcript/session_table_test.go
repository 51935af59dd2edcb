package transcript_test

import "strings"

func bff(method, path string) string {
	return "\n" + method + " /bff/" + path + " HTTP/1.1\nHost: shop.example.com\nOrigin: https://shop.example.com\nX-CSRF: 1\nCookie: {__Host-Http-shop}"
}

// sessionTable is the list of a person's sessions, how they end, and what is said of
// dead ones.
var sessionTable = []scenario{
	{name: "sessions-list-and-end", about: "A person sees and ends their sessions; nobody else's.", config: sameOrigin, stores: []string{memory, redis}, events: true, play: func(p *play) {
		p.api.on("POST /base/login", strings.Replace(signedIn, `"id":"ada"`, `"id":"eve"`, 1), signedIn)
		p.call("Eve signs in", strings.Replace(login, "ada@", "eve@", 1))
		p.keep("id", "eve")
		p.call("Ada signs in", strings.Replace(login, "Browser/1", "Phone/1", 1))
		p.keep("__Host-Http-shop", "phone")
		p.keep("id", "phone-id")
		p.call("a list of one", bff("GET", "sessions"))
		p.call("another person's session", bff("DELETE", "sessions/{eve}"))
		p.call("no session at all", bff("DELETE", "sessions/nothing"))
		p.call("Ada signs in once more", login)
		p.call("a list of two, the oldest first", bff("GET", "sessions"))
		p.call("one of hers ends", bff("DELETE", "sessions/{phone-id}"))
		p.call("the reason of the dead one", strings.Replace(whoami, "{__Host-Http-shop}", "{phone}", 1))
		p.call("a call with the dead one", strings.Replace(getThing, "{__Host-Http-shop}", "{phone}", 1))
		p.call("Ada signs in a third time", login)
		p.call("all others end", bff("DELETE", "sessions"))
		p.call("a list of one again", bff("GET", "sessions"))
		p.call("the current one ends", bff("DELETE", "sessions/{id}"))
		p.call("nobody is there", bff("GET", "sessions"))
		p.call("nobody's list", strings.Replace(bff("GET", "sessions"), "\nCookie: {__Host-Http-shop}", "", 1))
	}},
	{name: "sessions-reasons", about: "A dead ticket is told why it is dead; a late call does not wipe the cookie.", config: sameOrigin, stores: []string{memory, redis}, play: func(p *play) {
		p.signIn()
		p.api.on("POST /base/logout", nothing)
		p.awaits(1)
		p.call("signed out", logout)
		p.call("signed_out", getThing)
		p.signIn()
		p.admin("an operator ends it", "\nDELETE /admin/sessions?frontend=shop&subject=ada HTTP/1.1\nHost: admin\nAuthorization: Bearer admin-token\nConnection: close")
		p.call("revoked", getThing)
		p.signIn()
		p.api.on("GET /base/v1/thing", refused)
		p.api.on("POST /base/refresh", refused)
		p.call("the API refuses token and refresh token: upstream", getThing)
		p.call("upstream, from then on", whoami)
		p.call("a ticket that nobody knows", strings.Replace(whoami, "{__Host-Http-shop}", "__Host-Http-shop=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1))
	}},
	{name: "sessions-store-away", about: "While the store is away: 503, and the cookie is kept; when it is back, the same ticket works.", config: changed(sameOrigin, `keys: ["${KEY}"]`, `keys: ["${KEY}"], near_cache: 0s`), stores: []string{redis}, play: func(p *play) {
		p.signIn()
		p.api.on("GET /base/v1/thing", plain)
		p.api.on("GET /base/open/thing", plain)
		p.call("the store is there", getThing)
		p.store.leave()
		p.repeat("the store is away", getThing, "503")
		p.call("who is there", whoami)
		p.call("sign-out", logout)
		p.call("sign-in", login)
		p.call("an open route does not notice", "\nGET /open/thing HTTP/1.1\nHost: shop.example.com")
		p.admin("readiness", "\nGET /readyz HTTP/1.1\nHost: admin\nConnection: close")
		p.admin("readiness without the store", "\nGET /readyz?exclude=store HTTP/1.1\nHost: admin\nConnection: close")
		p.admin("administration", "\nGET /admin/sessions?frontend=shop&subject=ada HTTP/1.1\nHost: admin\nAuthorization: Bearer admin-token\nConnection: close")
		p.store.comeBack()
		p.repeat("the store is back", getThing, "200")
	}},
}

// refreshTable is how tokens are renewed.
var refreshTable = []scenario{
	{name: "refresh-before-the-end", about: "A token is renewed before it ends; an answer without a refresh token keeps the old one.", config: sameOrigin, stores: []string{memory, redis}, play: func(p *play) {
		p.api.on("POST /base/login", strings.Replace(signedIn, "3600", "20", 1))
		p.api.on("POST /base/refresh", "\nHTTP/1.1 200 OK\nContent-Length: {length}\n\n"+`{"access_token":"token-2","expires_in":20}`, "\nHTTP/1.1 200 OK\nContent-Length: {length}\n\n"+`{"access_token":"token-3","expires_in":3600}`)
		p.api.on("GET /base/v1/thing", plain)
		p.call("a token that ends in 20 s", login)
		p.call("a call: less than 30 s are left", getThing)
		p.call("again, with the old refresh token", getThing)
		p.call("now the token lasts", getThing)
	}},
	{name: "refresh-fails", about: "A refresh that fails for the API's sake leaves the old token in use while it lasts.", config: sameOrigin, play: func(p *play) {
		p.api.on("POST /base/login", strings.Replace(signedIn, "3600", "25", 1))
		p.api.on("POST /base/refresh", "\nHTTP/1.1 500 Internal Server Error\nContent-Length: 0")
		p.api.on("GET /base/v1/thing", plain)
		p.call("a token that ends in 25 s", login)
		p.call("the refresh fails, the call goes on", getThing)
	}},
	{name: "refresh-after-401", about: "A 401 means a refresh and one retry, where the body can be repeated.", config: sameOrigin, stores: []string{memory, redis}, play: func(p *play) {
		p.signIn()
		post := "\nPOST /api/thing HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nCookie: {__Host-Http-shop}\nContent-Length: {length}\n\nhello"
		p.api.on("POST /base/v1/thing", refused, plain, refused)
		p.api.on("POST /base/refresh", "\nHTTP/1.1 200 OK\nContent-Length: {length}\n\n"+`{"access_token":"token-2","refresh_token":"refresh-2"}`)
		p.call("401, refresh, retry", post)
		p.call("a second 401 within a minute passes, unmarked", post)
	}},
	{name: "refresh-after-401-not-repeatable", about: "A 401 to a call that cannot be repeated passes.", config: sameOrigin, play: func(p *play) {
		p.signIn()
		p.api.on("POST /base/v1/thing", refused)
		p.api.on("GET /base/maybe/thing", refused)
		p.exchange("a body in chunks", wire("\nPOST /api/thing HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nCookie: {__Host-Http-shop}\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\n\r\n"))
		p.call("session: optional", "\nGET /maybe/thing HTTP/1.1\nHost: shop.example.com\nCookie: {__Host-Http-shop}")
	}},
}

// throttleTable is failed sign-ins, counted.
var throttleTable = []scenario{
	{name: "throttle-account", about: "Three failures of one account: then 429, right password or wrong, and the API is not asked.", config: sameOrigin, stores: []string{memory, redis}, events: true, play: func(p *play) {
		p.api.on("POST /base/login", refused, refused, refused, signedIn)
		p.call("wrong", login)
		p.call("malformed: not counted", strings.Replace(login, `"password":"s3cret"`, `"password":""`, 1))
		p.call("wrong again", strings.Replace(login, "ada@example.com", " ADA@example.com", 1))
		p.call("wrong a third time", login)
		p.call("throttled", login)
		p.call("another account is not", strings.Replace(login, "ada@", "eve@", 1))
	}},
	{name: "throttle-address", about: "An address with too many failures is throttled whatever the account.", config: changed(sameOrigin, "account: 3, address: 100", "account: 10, address: 2"), play: func(p *play) {
		p.api.on("POST /base/login", refused, refused, signedIn)
		p.call("one account", login)
		p.call("another", strings.Replace(login, "ada@", "eve@", 1))
		p.call("a third", strings.Replace(login, "ada@", "bob@", 1))
	}},
}
