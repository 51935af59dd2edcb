package server

import (
	"bytes"

	"coatcheck/bff/http1"
	"coatcheck/bff/session"

	"github.com/valyala/fasthttp"
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

// giveStepTicket sets the cookie of a pending sign-in, for as long as it can last.
func (x *exchange) giveStepTicket(t session.Ticket) {
	c := x.cookie(stepSuffix)
	defer fasthttp.ReleaseCookie(c)
	c.SetValue(t.Reveal())
	c.SetMaxAge(int(session.PendingLife.Seconds()))
	x.ctx.Response.Header.SetCookie(c)
}

// takeStepTicket expires it, once the sign-in is done.
func (x *exchange) takeStepTicket() {
	c := x.cookie(stepSuffix)
	defer fasthttp.ReleaseCookie(c)
	c.SetExpire(fasthttp.CookieExpireDelete)
	x.ctx.Response.Header.SetCookie(c)
}

// giveTicket sets the session cookie. It stands on the answer to a sign-in and on no
// other: a late answer must not overwrite a fresh one.
func (x *exchange) giveTicket(t session.Ticket) {
	c := x.cookie("")
	defer fasthttp.ReleaseCookie(c)
	c.SetValue(t.Reveal())
	if age := x.frontend.cookieMaxAge; age > 0 {
		c.SetMaxAge(int(age.Seconds()))
	}
	x.ctx.Response.Header.SetCookie(c)
}

// takeTicket expires the session cookie. It stands on the answer to a sign-out and
// on no other: a late 401 must not wipe a fresh sign-in.
func (x *exchange) takeTicket() {
	c := x.cookie("")
	defer fasthttp.ReleaseCookie(c)
	c.SetExpire(fasthttp.CookieExpireDelete)
	x.ctx.Response.Header.SetCookie(c)
	// So that the back button does not show a private page. Never "cookies": Chromium
	// then deletes those of all sibling hosts, and signs other people out.
	x.set("Clear-Site-Data", `"cache"`)
}

func (x *exchange) cookie(suffix string) *fasthttp.Cookie {
	config := x.frontend.config.Cookie
	c := fasthttp.AcquireCookie()
	c.SetKey(config.Name + suffix)
	c.SetPath("/")
	c.SetHTTPOnly(true)
	c.SetSecure(true)
	c.SetSameSite(fasthttp.CookieSameSiteStrictMode)
	if config.SameSite == "lax" {
		c.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	}
	return c
}
