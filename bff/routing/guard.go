package routing

import (
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
)

// guardInput is everything the guard looks at. [Decision.guardInput] makes it of the
// request and the configuration; the guard itself reads neither, so that its whole
// truth table can be written down in a test.
type guardInput struct {
	safe          bool // GET, HEAD or OPTIONS
	reads         bool // GET or HEAD
	originListed  bool // exactly one Origin, and the frontend lists it
	origins       int  // how many Origin headers came
	site          []byte
	sites         int  // how many Sec-Fetch-Site headers came
	pagesLiveHere bool // a page of the frontend may live at the host called
	csrfHeader    bool // X-CSRF: 1, or a non-empty X-XSRF-TOKEN
	csrfRequired  bool // csrf_header: unsafe
	handshake     bool // a WebSocket handshake on a route that tunnels them
	xcsrf         bool // X-CSRF: 1
	isolate       bool
	becomesCode   bool // Service-Worker: script, or a Sec-Fetch-Dest that runs
	navigation    bool // a GET that opens a document of its own, on a route with navigation: allow
}

// guard decides whether a call was made by the frontend's own pages. nil: it was, or
// nothing in it speaks of a browser (then an unsafe method needs X-CSRF). It runs
// before any session is looked at; the first check that fails names the problem.
//
// SameSite is no part of it: sibling frontends are one site, and browsers send
// them each other's host's cookies, Strict or not.
func guard(in *guardInput) *problem.Problem {
	if in.origins > 0 && !in.originListed {
		return problem.OriginNotAllowed
	}
	if in.handshake {
		// Chromium sends no Sec-Fetch-Site here; Origin decides.
		if in.origins == 0 && !in.xcsrf {
			return problem.CSRFHeaderMissing
		}
	} else {
		if in.sites > 0 && !siteAllowed(in) {
			return problem.CrossSiteRequest
		}
		native := in.origins == 0 && in.sites == 0
		if !in.safe && !in.csrfHeader && (in.csrfRequired || native) {
			return problem.CSRFHeaderMissing
		}
	}
	if in.isolate && in.becomesCode {
		return problem.ForbiddenDestination
	}
	return nil
}

func siteAllowed(in *guardInput) bool {
	if in.sites != 1 {
		return false
	}
	switch string(in.site) {
	case "same-origin":
		return in.originListed || in.origins == 0 && in.pagesLiveHere
	case "same-site":
		return in.originListed || in.navigation
	case "cross-site":
		return in.navigation
	case "none":
		return in.reads
	}
	return false
}

// guardInput collects what the guard looks at. A path without a route is treated as
// the strictest one.
func (d *Decision) guardInput(r *Request) guardInput {
	h, f := r.Head, d.Frontend
	site, sites := h.Get("sec-fetch-site")
	xcsrf, n := h.Get("x-csrf")
	isOne := n == 1 && string(xcsrf) == "1"
	xsrf, _ := h.Get("x-xsrf-token")
	return guardInput{
		safe: r.reads() || string(h.Method) == "OPTIONS", reads: r.reads(),
		origins: r.Origins, originListed: r.Origins == 1 && f.ListsOrigin(r.Origin, r.Host),
		site: site, sites: sites, pagesLiveHere: f.pagesLiveAt(r.Host),
		csrfHeader: isOne || len(xsrf) > 0, xcsrf: isOne,
		csrfRequired: d.csrfHeader() != "off",
		handshake:    d.Handshake,
		isolate:      d.Endpoint == nil && (d.Route == nil || d.Route.Config.Isolate), becomesCode: becomesCode(h),
		navigation: d.Route != nil && d.Route.Config.Navigation == "allow" && r.opensDocument(),
	}
}

// csrfHeader is the route's own rule, or the frontend's.
func (d *Decision) csrfHeader() string {
	if d.Route != nil && d.Route.Config.CSRFHeader != "" {
		return d.Route.Config.CSRFHeader
	}
	return d.Frontend.Config.CSRFHeader
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
