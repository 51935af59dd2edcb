package server

import "coatcheck/bff/http1"

// ask is everything the guard looks at. It is made from the request and the
// configuration by [exchange.ask]; the guard itself reads neither, so that its
// whole truth table can be written down in a test.
type ask struct {
	safe          bool // GET, HEAD or OPTIONS
	get           bool // GET or HEAD
	originListed  bool // exactly one Origin, and the frontend lists it
	origins       int  // how many Origin headers came
	site          string
	sites         int  // how many Sec-Fetch-Site headers came
	pagesLiveHere bool // a page of the frontend may live at the host called
	csrfHeader    bool // X-CSRF: 1, or a non-empty X-XSRF-TOKEN
	csrfRequired  bool // csrf_header: unsafe
	handshake     bool // a WebSocket handshake on a route that tunnels them
	xcsrf         bool // X-CSRF: 1
	isolate       bool
	becomesCode   bool // Service-Worker: script, or a Sec-Fetch-Dest that runs
}

// guard decides whether a call was made by the frontend's own pages. nil: it was, or
// nothing in it speaks of a browser (then an unsafe method needs X-CSRF). It is asked
// before any session is looked at; the first check that fails names the problem.
//
// SameSite is no part of it: sibling frontends are one site, and browsers send
// them each other's host's cookies, Strict or not.
func guard(a ask) *Problem {
	if a.origins > 0 && !a.originListed {
		return errOrigin
	}
	if a.handshake {
		// Chromium sends no Sec-Fetch-Site here; Origin decides.
		if a.origins == 0 && !a.xcsrf {
			return errCSRFHeader
		}
	} else {
		if a.sites > 0 && !siteAllowed(a) {
			return errCrossSite
		}
		native := a.origins == 0 && a.sites == 0
		if !a.safe && !a.csrfHeader && (a.csrfRequired || native) {
			return errCSRFHeader
		}
	}
	if a.isolate && a.becomesCode {
		return errDestination
	}
	return nil
}

func siteAllowed(a ask) bool {
	if a.sites != 1 {
		return false
	}
	switch a.site {
	case "same-origin":
		return a.originListed || a.origins == 0 && a.pagesLiveHere
	case "same-site":
		return a.originListed
	case "none":
		return a.get
	}
	return false
}

// ask collects what the guard looks at. A path without a route is asked as if it
// were the strictest one.
func (x *exchange) ask() ask {
	h, f := x.head, x.frontend
	site, sites := h.Get("sec-fetch-site")
	xcsrf, n := h.Get("x-csrf")
	isOne := n == 1 && string(xcsrf) == "1"
	xsrf, _ := h.Get("x-xsrf-token")
	get := x.isGet || x.isHead
	return ask{
		safe: get || string(h.Method) == "OPTIONS", get: get,
		origins: x.origins, originListed: x.origins == 1 && f.listsOrigin(x.origin),
		site: string(site), sites: sites, pagesLiveHere: f.pagesLiveAt(x.host),
		csrfHeader: isOne || len(xsrf) > 0, xcsrf: isOne,
		csrfRequired: f.config.CSRFHeader != "off",
		handshake:    x.isHandshake(),
		isolate:      x.endpoint == nil && (x.route == nil || x.route.config.Isolate), becomesCode: becomesCode(h),
	}
}

// becomesCode reports whether the browser asks for something it will run
// (Fetch, "script-like" destinations; Service Workers §2.1).
func becomesCode(h *http1.Head) bool {
	if worker, n := h.Get("service-worker"); n > 0 && http1.EqualFold(worker, "script") {
		return true
	}
	dest, n := h.Get("sec-fetch-dest")
	if n == 0 {
		return false
	}
	switch string(dest) {
	case "script", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet", "xslt":
		return true
	}
	return n > 1
}
