package transcript_test

import (
	"fmt"
	"strings"
)

// signInTable is the ways of a sign-in: how it goes well, and each way it fails.
var signInTable = []scenario{
	{name: "signin-life", about: "Sign-in, calls, and sign-out.", config: sameOrigin, stores: []string{memory, redis}, events: true, play: func(p *play) {
		p.call("nobody is signed in", strings.Replace(whoami, "\nCookie: {__Host-Http-shop}", "", 1))
		p.api.on("POST /base/login", signedIn)
		p.call("sign-in", login)
		p.call("who is there", whoami)
		p.api.on("GET /base/v1/thing", plain)
		p.call("a call", getThing)
		p.api.on("POST /base/v1/thing", "\nHTTP/1.1 201 Created\nLocation: /base/v1/thing/1\nContent-Length: 0")
		p.call("a call that changes something", `
POST /api/thing HTTP/1.1
Host: shop.example.com
Origin: https://shop.example.com
Sec-Fetch-Site: same-origin
X-CSRF: 1
Cookie: {__Host-Http-shop}
Content-Type: application/json
Content-Length: {length}

{"a":1}`)
		p.call("the session is extended", strings.Replace(whoami, "GET", "POST", 1)+"\nX-CSRF: 1\nContent-Length: 0")
		p.api.on("POST /base/logout", nothing)
		p.awaits(1)
		p.call("sign-out", logout)
		p.call("who is there afterwards", whoami)
		p.call("a call afterwards", getThing)
		p.call("extending it afterwards", strings.Replace(whoami, "GET", "POST", 1)+"\nX-CSRF: 1\nContent-Length: 0")
		p.call("sign-out again", logout)
		p.call("sign-out without a ticket", strings.Replace(logout, "Cookie: {__Host-Http-shop}\n", "", 1))
	}},
	{name: "signin-replaces", about: "A sign-in over a live ticket ends the old session and tells the API; a failed one changes nothing.", config: sameOrigin, events: true, play: func(p *play) {
		p.signIn()
		p.keep("__Host-Http-shop", "old")
		again := strings.Replace(login, "User-Agent", "Cookie: {__Host-Http-shop}\nUser-Agent", 1)
		p.api.on("POST /base/login", refused, strings.ReplaceAll(signedIn, "-1", "-2"))
		p.api.on("POST /base/logout", nothing)
		p.api.on("GET /base/v1/thing", plain)
		p.call("a sign-in that fails", again)
		p.call("the old session lives", getThing)
		p.awaits(2)
		p.call("a sign-in that goes well", again)
		p.call("the old ticket is dead", strings.Replace(getThing, "{__Host-Http-shop}", "{old}", 1))
		p.call("the new one lives", getThing)
	}},
	{name: "signin-bodies", about: "What is no sign-in body is refused before the API is asked.", config: sameOrigin, play: func(p *play) {
		const head = "\nPOST /bff/login HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\n"
		for _, row := range [][3]string{
			{"a form", "Content-Type: application/x-www-form-urlencoded", "email=a&password=b"},
			{"no type", "Accept: */*", `{"email":"a","password":"b"}`},
			{"another charset", "Content-Type: application/json; charset=latin1", `{"email":"a","password":"b"}`},
			{"compressed", "Content-Type: application/json\nContent-Encoding: gzip", `{"email":"a","password":"b"}`},
			{"a field missing", "Content-Type: application/json", `{"email":"a"}`},
			{"a field too many", "Content-Type: application/json", `{"email":"a","password":"b","x":"c"}`},
			{"a field twice", "Content-Type: application/json", `{"email":"a","email":"a","password":"b"}`},
			{"another case", "Content-Type: application/json", `{"Email":"a","password":"b"}`},
			{"empty", "Content-Type: application/json", `{"email":"","password":"b"}`},
			{"no string", "Content-Type: application/json", `{"email":1,"password":"b"}`},
			{"a list", "Content-Type: application/json", `["email","password"]`},
			{"behind the end", "Content-Type: application/json", `{"email":"a","password":"b"}x`},
			{"NUL", "Content-Type: application/json", `{"email":"a\u0000","password":"b"}`},
			{"a byte order mark", "Content-Type: application/json", "\ufeff" + `{"email":"a","password":"b"}`},
			{"no UTF-8", "Content-Type: application/json", "{\"email\":\"\xff\",\"password\":\"b\"}"},
			{"no body", "Content-Type: application/json", ""},
			{"a step that nobody waits for", "Content-Type: application/json", `{"step":"otp","otp":"1"}`},
		} {
			p.call(row[0], head+row[1]+"\nContent-Length: {length}\n\n"+row[2])
		}
		p.api.on("POST /base/login", signedIn)
		p.call("charset=utf-8 passes", head+"Content-Type: application/json;charset=UTF-8\nContent-Length: {length}\n\n"+`{"password":"p\u00e4ss \"w\"","email":"a"}`)
		p.begin("over 8 KiB: refused by its length")
		c := p.dial(p.program.public)
		c.send(wire(head + "Content-Type: application/json\nContent-Length: 8193"))
		c.read()
		p.flush(1)
	}},
	{name: "signin-answers", about: "What the API's answers to a sign-in mean: each code, and its status.", config: sameOrigin, events: true, play: func(p *play) {
		said := func(status, more, body string) string {
			return "\nHTTP/1.1 " + status + "\nContent-Type: application/json" + more + "\nContent-Length: {length}\n\n" + body
		}
		for i, row := range [][2]string{
			{"wrong credentials", said("401 Unauthorized", "", `{"error":"no"}`)},
			{"a further factor", said("403 Forbidden", "", `{"code":"MFA"}`)},
			{"locked", said("403 Forbidden", "", `{"code":"LOCKED"}`)},
			{"disabled", said("403 Forbidden", "", `{"code":"DISABLED"}`)},
			{"unverified", said("403 Forbidden", "", `{"code":"UNVERIFIED"}`)},
			{"an old password", said("403 Forbidden", "", `{"code":"OLD"}`)},
			{"fields", said("422 Unprocessable Content", "", `{"errors":{"email":["bad"],"other":["bad"]}}`)},
			{"too many", said("429 Too Many Requests", "\nRetry-After: 17", `{}`)},
			{"something else", said("403 Forbidden", "", `{"code":"FIREWALL"}`)},
			{"a redirect", said("302 Found", "\nLocation: /home", ``)},
			{"no token", said("200 OK", "", `{"user":{"id":"ada"}}`)},
			{"no subject", said("200 OK", "", `{"access_token":"t","user":{"name":"Ada"}}`)},
			{"a token that is none", said("200 OK", "", `{"access_token":"a b","user":{"id":"ada"}}`)},
			{"no JSON", said("200 OK", "", `<html>`)},
			{"an error of the API's", said("500 Internal Server Error", "", `{}`)},
		} {
			p.api.on("POST /base/login", row[1])
			p.call(row[0], strings.Replace(login, "ada@", fmt.Sprintf("ada%d@", i), 1))
		}
	}},
	{name: "signin-api-away", about: "A sign-in whose API does not answer, or is not there.", config: changed(sameOrigin, "request: {path: /login,", "timeout: 300ms\n      request: {path: /login,"), play: func(p *play) {
		p.api.does("POST /base/login", (*apiCall).silence)
		p.awaits(1)
		p.call("it is silent", login)
	}},
	{name: "signin-api-gone", about: "A sign-in at an API that cannot be reached.", config: changed(sameOrigin, `"${API}/base"`, `"${NOBODY}/base"`), play: func(p *play) {
		p.call("nobody listens", login)
	}},
	{name: "signin-second-factor", about: "A second factor: a wrong code may be repeated, the right one makes a new ticket.", config: sameOrigin, stores: []string{memory, redis}, events: true, play: func(p *play) {
		const mfa = "\nHTTP/1.1 200 OK\nContent-Length: {length}\n\n" + `{"mfa_token":"mfa-1"}`
		const wrong = "\nHTTP/1.1 403 Forbidden\nContent-Length: {length}\n\n" + `{"code":"MFA"}`
		code := func(cookie, body string) string {
			return "\nPOST /bff/login HTTP/1.1\nHost: shop.example.com\nX-CSRF: 1\nCookie: " + cookie + "\nContent-Type: application/json\nContent-Length: {length}\n\n" + body
		}
		p.api.on("POST /base/login", mfa)
		p.api.on("POST /base/mfa", wrong, signedIn)
		p.call("the password", login)
		p.call("a step of another name", code("{__Host-Http-shop-step}", `{"step":"mail","otp":"1"}`))
		p.call("a wrong code", code("{__Host-Http-shop-step}", `{"step":"otp","otp":"000000"}`))
		p.words["{moved}"] = strings.Replace(p.words["{__Host-Http-shop-step}"], "-step", "", 1)
		p.call("the pending ticket opens nothing", strings.Replace(getThing, "{__Host-Http-shop}", "{moved}", 1))
		p.call("the right code", code("{__Host-Http-shop-step}", `{"step":"otp","otp":"123456"}`))
		p.call("who is there", whoami)
		p.call("the step is over", code("{__Host-Http-shop-step}", `{"step":"otp","otp":"123456"}`))
		p.api.on("POST /base/mfa", refused)
		p.call("another sign-in", strings.Replace(login, "ada@", "eve@", 1))
		p.call("a code that ends the step", code("{__Host-Http-shop-step}", `{"step":"otp","otp":"000000"}`))
		p.call("it is over", code("{__Host-Http-shop-step}", `{"step":"otp","otp":"123456"}`))
	}},
}
