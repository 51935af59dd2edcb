package server

import (
	"bytes"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/session"
)

// readTicket takes the ticket out of the frontend's own cookie. Missing, quoted, of
// another form, or there twice with different values: no ticket, and the store is
// not asked. A sibling that plants a second cookie thus signs a person out at most.
func (x *exchange) readTicket() {
	value, ok := cookieValue(x.head, x.frontend.config.Cookie.Name)
	if ok {
		x.ticket, x.hasTicket = session.ParseTicket(value)
	}
}

// cookieValue finds the one value of a cookie in all Cookie headers (RFC 6265 §4.2).
func cookieValue(h *http1.Head, name string) (value []byte, ok bool) {
	for i := range h.Fields {
		f := &h.Fields[i]
		if !http1.EqualFold(f.Name, "cookie") {
			continue
		}
		for rest := f.Value; len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte{';'})
			pair = http1.TrimOWS(pair)
			if len(pair) <= len(name) || pair[len(name)] != '=' || string(pair[:len(name)]) != name {
				continue
			}
			if v := pair[len(name)+1:]; ok && !bytes.Equal(v, value) {
				return nil, false
			} else {
				value, ok = v, true
			}
		}
	}
	return value, ok
}

// stepSuffix makes the name of the cookie that a pending sign-in has. It is another
// than the session's, because a sign-in that is not finished changes nothing.
const stepSuffix = "-step"

// readStepTicket takes the ticket of a pending sign-in.
func (x *exchange) readStepTicket() (session.Ticket, bool) {
	value, ok := cookieValue(x.head, x.frontend.config.Cookie.Name+stepSuffix)
	if !ok {
		return session.Ticket{}, false
	}
	return session.ParseTicket(value)
}

// giveTicket sets the session cookie. It stands on the answer to a sign-in and on no
// other: a late answer must not overwrite a fresh one.
func (x *exchange) giveTicket(t session.Ticket) {
	x.setCookie("", t.Reveal(), maxAge(x.frontend.cookieMaxAge))
}

// takeTicket expires the session cookie. It stands on the answer to a sign-out, or to
// the end of the current session in the list, and on no other: a late 401 must not wipe a fresh sign-in.
func (x *exchange) takeTicket() {
	x.setCookie("", "", expired)
	// So that the back button does not show a private page. Never "cookies": Chromium
	// then deletes those of all sibling hosts, and signs other people out.
	x.set("Clear-Site-Data", `"cache"`)
}

// giveStepTicket sets the cookie of a pending sign-in, for as long as it can last.
func (x *exchange) giveStepTicket(t session.Ticket) {
	x.setCookie(stepSuffix, t.Reveal(), maxAge(session.PendingLife))
}

// takeStepTicket expires it, once the sign-in is done.
func (x *exchange) takeStepTicket() { x.setCookie(stepSuffix, "", expired) }

// expired makes a browser drop a cookie; Expires is for those that do not know Max-Age.
const expired = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"

// maxAge makes a cookie outlive the browser; 0: it does not.
func maxAge(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return "; Max-Age=" + seconds(d)
}

// setCookie writes one of the frontend's cookies (RFC 6265 §4.1): always host-only,
// as the prefix __Host- demands, and never for scripts.
func (x *exchange) setCookie(suffix, value, lifetime string) {
	c := x.frontend.config.Cookie
	site := "Strict"
	if c.SameSite == "lax" {
		site = "Lax"
	}
	x.ctx.Response.Header.Add("Set-Cookie", c.Name+suffix+"="+value+"; Path=/; HttpOnly; Secure; SameSite="+site+lifetime)
}
