package account

import (
	"strconv"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
)

// setSessionCookie stands on the answer to a sign-in and on no other: a late answer
// must not overwrite a fresh one.
func setSessionCookie(c *call.Call, t session.Ticket) {
	setCookie(c, "", t.Reveal(), maxAge(c.Frontend().CookieMaxAge))
}

// clearSessionCookie stands on the answer to a sign-out, or to the end of the current
// session in the list, and on no other: a late 401 must not wipe a fresh sign-in.
func clearSessionCookie(c *call.Call) {
	setCookie(c, "", "", expired)
	// So that the back button does not show a private page. Never "cookies": Chromium
	// then deletes those of all sibling hosts, and signs other people out.
	c.Reply.Header.Set("Clear-Site-Data", `"cache"`)
}

// setStepCookie sets the cookie of a pending sign-in, for as long as that can last.
func setStepCookie(c *call.Call, t session.Ticket) {
	setCookie(c, auth.StepSuffix, t.Reveal(), maxAge(pending.Life))
}

// clearStepCookie expires it, once the sign-in is done.
func clearStepCookie(c *call.Call) { setCookie(c, auth.StepSuffix, "", expired) }

// expired makes a browser drop a cookie; Expires is for those that do not know Max-Age.
const expired = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"

// maxAge makes a cookie outlive the browser; 0: it does not.
func maxAge(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return "; Max-Age=" + strconv.FormatInt(int64(d/time.Second), 10)
}

// setCookie writes one of the frontend's cookies (RFC 6265 §4.1): always host-only,
// as the prefix __Host- demands, and never for scripts.
func setCookie(c *call.Call, suffix, value, lifetime string) {
	cookie := c.Frontend().Config.Cookie
	site := "Strict"
	if cookie.SameSite == "lax" {
		site = "Lax"
	}
	c.Reply.Header.Add("Set-Cookie", cookie.Name+suffix+"="+value+"; Path=/; HttpOnly; Secure; SameSite="+site+lifetime)
}
