package auth

import (
	"bytes"

	"coatcheck/bff/http1"
	"coatcheck/bff/pending"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/bff/session/ticket"
)

// StepSuffix makes the name of the cookie that a pending sign-in has. It is another
// than the session's, because a sign-in that is not finished changes nothing.
const StepSuffix = "-step"

// LoginSuffix makes the name of the cookie that a browser has while sign-ins at a
// provider are under way.
const LoginSuffix = "-login"

// Browser takes the browser's own secret, however many sign-ins are under way in it.
func Browser(h *http1.Head, f *routing.Frontend) (pending.Browser, bool) {
	value, ok := cookie(h, f.Config.Cookie.Name+LoginSuffix)
	if !ok {
		return pending.Browser{}, false
	}
	b, err := pending.ParseBrowser(string(value))
	return b, err == nil
}

// Ticket takes the ticket out of the frontend's own cookie. Missing, quoted, of
// another form, or there twice with different values: no ticket, and the store is
// not asked. A sibling that plants a second cookie thus signs a person out at most.
func Ticket(h *http1.Head, f *routing.Frontend) (session.Ticket, bool) {
	return ticketIn(h, f.Config.Cookie.Name)
}

// StepTicket takes the ticket of a pending sign-in.
func StepTicket(h *http1.Head, f *routing.Frontend) (session.Ticket, bool) {
	return ticketIn(h, f.Config.Cookie.Name+StepSuffix)
}

func ticketIn(h *http1.Head, name string) (session.Ticket, bool) {
	value, ok := cookie(h, name)
	if !ok {
		return session.Ticket{}, false
	}
	return ticket.Parse(value)
}

// cookie finds the one value of a cookie in all Cookie headers (RFC 6265 §4.2).
func cookie(h *http1.Head, name string) (value []byte, ok bool) {
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
			v := pair[len(name)+1:]
			if ok && !bytes.Equal(v, value) {
				return nil, false
			}
			value, ok = v, true
		}
	}
	return value, ok
}
