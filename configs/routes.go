package configs

import (
	"slices"
	"strings"
)

// methods are all that the public listener takes without being told.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// unusualMethods are those that it takes where a route names them: the others of IANA's
// registry of methods, of WebDAV and its kin mostly. CONNECT would make a tunnel, and
// TRACE would show cookies to scripts.
var unusualMethods = strings.Fields(`ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL
	MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE
	UPDATEREDIRECTREF VERSION-CONTROL`)

// UnusualMethods are the methods of all routes that the public listener does not take
// without being told, sorted.
func (c *Config) UnusualMethods() []string {
	var list []string
	for _, f := range c.Frontends {
		for _, r := range f.Routes {
			for _, m := range r.Methods {
				if slices.Contains(unusualMethods, m) {
					list = append(list, m)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (ck *checker) routes(path string, f *Frontend) {
	seen := map[string]bool{}
	for i, r := range f.Routes {
		at := item(child(path, "routes"), i)
		if seen[r.Path] && r.Path != "" {
			ck.refuse(child(at, "path"), "another route of this frontend has this path", "")
		}
		seen[r.Path] = true
		ck.route(at, f, r)
	}
}

func (ck *checker) route(path string, f *Frontend, r *Route) {
	if r.Path != "" && !ck.complain(child(path, "path"), settled(r.Path, routeFault(r.Path), routeFault)) {
		if r.Path == "/" && f.SPA != nil {
			ck.warn(child(path, "path"), "this takes every path, and leaves none for spa", "/api/")
		}
		if looksLikePrefix(r.Path) {
			ck.warn(child(path, "path"), "this takes the one path "+r.Path+" and nothing below it", r.Path+"/")
		}
	}
	if r.Rewrite != nil {
		check := checkPrefix
		if r.IsExact() {
			check = checkPath
		}
		ck.complain(child(path, "rewrite"), check(*r.Rewrite))
	}
	ck.known(child(path, "upstream"), r.Upstream)
	ck.methods(child(path, "methods"), r)
	ck.person(path, r)
	ck.routeCallers(path, r)
	ck.opened(path, f, r)
	ck.warnRoute(path, r)
	if !r.Isolate {
		ck.warn(child(path, "isolate"), "HTML from the API becomes a document of your own origin: its scripts can call everything a signed-in page can", "true, unless the API serves pages that people open")
	}
}

// IsExact reports whether the route takes one path, rather than all below a prefix.
func (r *Route) IsExact() bool { return !strings.HasSuffix(r.Path, "/") }

// looksLikePrefix reports whether a path without "/" at its end was probably meant to
// have one: an API's root, or its version.
func looksLikePrefix(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	version := strings.TrimLeft(strings.TrimPrefix(last, "v"), "0123456789.") == "" && strings.HasPrefix(last, "v")
	return version && len(last) > 1 || last == "api" || last == "rest" || last == "backend"
}

func routeFault(s string) complaint {
	if c := pathFault(s); c.is() {
		if looksLikePrefix(c.hint) {
			c.hint += "/"
		}
		return c
	}
	if strings.HasPrefix(s+"/", "/bff/") {
		return complaint{"/bff/ is reserved for Coatcheck", "/api/"}
	}
	return complaint{}
}

// checkPrefix is checkPath for what a route takes or puts in its place.
func checkPrefix(s string) complaint { return settled(s, prefixFault(s), prefixFault) }

func prefixFault(s string) complaint {
	if c := pathFault(s); c.is() {
		return c
	}
	if !strings.HasSuffix(s, "/") {
		return complaint{"a prefix must end with /, so that /api does not match /apix", s + "/"}
	}
	return complaint{}
}

func (ck *checker) methods(path string, r *Route) {
	if len(r.Methods) == 0 {
		ck.refuse(path, "empty list: no method would pass", "leave it out")
	}
	for i, m := range r.Methods {
		at := item(path, i)
		switch {
		case m == "*":
			ck.refuse(at, "no wildcards for methods", "list each method")
		case !isMethod(m) && isMethod(strings.ToUpper(m)):
			ck.refuse(at, "methods must be upper case", strings.ToUpper(m))
		case !isMethod(m):
			ck.refuse(at, ck.quote(at, m)+" never reaches a route", strings.Join(methods, ", ")+", and those of WebDAV, QUERY, LINK, UNLINK")
		case slices.Index(r.Methods, m) < i:
			ck.refuse(at, "duplicate method", "")
		}
	}
	if r.WebSocket && len(r.Methods) > 0 && !slices.Contains(r.Methods, "GET") {
		ck.refuse(path, "a WebSocket handshake is a GET", "add GET")
	}
}

// opened checks what lets calls through that a page's own fetch did not make.
func (ck *checker) opened(path string, f *Frontend, r *Route) {
	if r.CSRFHeader == "off" && f.CSRFHeader != "off" {
		ck.warn(child(path, "csrf_header"), siblingsPost, "unsafe, unless a page must call this by sendBeacon or a form")
	}
	if r.Navigation != "allow" {
		return
	}
	at := child(path, "navigation")
	switch {
	case !r.Isolate:
		ck.refuse(at, "what other sites can open must not become a page of your own origin", "isolate: true")
	case !slices.Contains(r.Methods, "GET"):
		ck.refuse(at, "links and downloads are GET, which this route does not take", "methods: [GET]")
	case r.Session != "none" && f.Cookie.SameSite == "strict":
		ck.warn(at, "browsers bring a Strict cookie from no other site: nobody is signed in who follows a link from there", "cookie: {same_site: lax}")
	}
}

// siblingsPost is what csrf_header: off costs.
const siblingsPost = "a sibling of this site can then post in a person's name, wherever a browser sends no Sec-Fetch-Site"

func isMethod(m string) bool {
	return slices.Contains(methods, m) || slices.Contains(unusualMethods, m)
}

// person checks what the route has to do with sessions.
func (ck *checker) person(path string, r *Route) {
	if !r.Guard && r.Session != "none" {
		ck.refuse(child(path, "guard"), "without the guard, every site could call this in the name of a signed-in person", "session: none, or guard: true")
	}
	if r.SendToken != nil && *r.SendToken && r.Session == "none" {
		ck.refuse(child(path, "send_token"), "session: none has no token to send", "session: optional")
	}
}
