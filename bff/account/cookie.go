package account

import (
	"strconv"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
	"coatcheck/upstream/mapping"
)

// setSessionCookie stands on the answer to a sign-in and on no other: a late answer
// must not overwrite a fresh one.
func setSessionCookie(c *call.Call, t session.Ticket, s *session.Session) {
	lifetime := ""
	if how := c.Frontend().Config.Cookie.Persistent; how.Always || how.Field != "" && s.Persistent {
		lifetime = maxAge(c.Frontend().CookieMaxAge)
	}
	setCookie(c, "", t.Reveal(), lifetime)
}

// persists reports whether the person wants the cookie to outlive the browser; before is
// what they said at an earlier step of the same sign-in.
func persists(c *call.Call, fields map[string]credential.Secret, before bool) bool {
	value, sent := fields[c.Frontend().Config.Cookie.Persistent.Field]
	if !sent {
		return before
	}
	json, _ := mapping.FieldJSON(value)
	return json == "true"
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

// setBrowserCookie keeps, or prolongs, the secret of a browser in which people are on
// their way to a provider. It is Lax whatever the session's cookie is: the way back
// begins at the provider's site.
func setBrowserCookie(c *call.Call, b pending.Browser, life time.Duration) {
	setCookie(c, auth.LoginSuffix, b.Cookie(), maxAge(life))
}

// expired makes a browser drop a cookie; Expires is for those that do not know Max-Age.
const expired = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"

// maxAge makes a cookie outlive the browser.
func maxAge(d time.Duration) string {
	return "; Max-Age=" + strconv.FormatInt(int64(d/time.Second), 10)
}

// setCookie writes one of the frontend's cookies (RFC 6265 §4.1): always host-only,
// as the prefix __Host- demands, and never for scripts.
func setCookie(c *call.Call, suffix, value, lifetime string) {
	cookie := c.Frontend().Config.Cookie
	site := "Strict"
	if cookie.SameSite == "lax" || suffix == auth.LoginSuffix {
		site = "Lax"
	}
	c.Reply.Header.Add("Set-Cookie", cookie.Name+suffix+"="+value+"; Path=/; HttpOnly; Secure; SameSite="+site+lifetime)
}
