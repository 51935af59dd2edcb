package server

import (
	"bytes"
	"strings"
)

const preflightAge = "7200" // seconds; Chromium's own cap

// isPreflight reports whether a browser asks if it may call (Fetch, "CORS-preflight").
func (x *exchange) isPreflight() bool {
	if string(x.head.Method) != "OPTIONS" || x.origins == 0 {
		return false
	}
	_, n := x.head.Get("access-control-request-method")
	return n > 0
}

// preflight answers what pages of a listed origin may send to this path.
func (x *exchange) preflight() error {
	if x.origins != 1 || !x.frontend.listsOrigin(x.origin) {
		return errOrigin
	}
	methods := ""
	switch {
	case x.endpoint != nil:
		methods = x.endpoint.allow
	case x.route != nil:
		methods = x.route.allow
	default:
		return errNotFound
	}
	if x.endpoint != nil {
		x.own()
	}
	x.set("Access-Control-Allow-Methods", methods)
	x.set("Access-Control-Allow-Headers", x.frontend.allowHeaders)
	x.set("Access-Control-Max-Age", preflightAge)
	x.empty(204)
	return nil
}

// cors lets pages of a listed origin read the answer, whatever it is, and tells
// caches that it differs by Origin. It looks the host up itself, because a call may
// have failed before its frontend was known.
func (x *exchange) cors() {
	h := x.snapshot.hosts[string(x.host)]
	if h == nil {
		return
	}
	if h.otherOrigins {
		x.vary("Origin")
	}
	f := x.pagesFrontend(h)
	if f == nil || !h.otherOrigins && originAuthority(x.origin) == string(x.authority) {
		return // nobody's page, or the page's own host: nothing is crossed
	}
	x.vary("Origin")
	x.set("Access-Control-Allow-Origin", string(x.origin))
	x.set("Access-Control-Allow-Credentials", "true")
	if !x.isPreflight() {
		x.set("Access-Control-Expose-Headers", f.exposeHeaders)
	}
}

// pagesFrontend is the frontend whose page makes this call; nil where none does.
func (x *exchange) pagesFrontend(h *host) *frontend {
	if x.origins != 1 {
		return nil
	}
	if x.frontend != nil && x.frontend.listsOrigin(x.origin) {
		return x.frontend
	}
	for _, f := range h.frontends {
		if x.frontend == nil && f.listsOrigin(x.origin) {
			return f
		}
	}
	return nil
}

// originAuthority is host[:port] of an origin.
func originAuthority(origin []byte) string {
	_, authority, _ := bytes.Cut(origin, []byte("://"))
	return string(authority)
}

// vary adds a name to Vary, unless it is there.
func (x *exchange) vary(name string) {
	h := &x.ctx.Response.Header
	have := string(h.Peek("Vary"))
	switch {
	case have == "":
		x.set("Vary", name)
	case have == "*" || listHas(have, name):
	default:
		x.set("Vary", have+", "+name)
	}
}

func listHas(list, name string) bool {
	for member := range strings.SplitSeq(list, ",") {
		// ASCII only: to Unicode, a Kelvin sign is a "k", and this is no Cookie then.
		if equalFold([]byte(strings.TrimSpace(member)), []byte(name)) {
			return true
		}
	}
	return false
}
