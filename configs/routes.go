package configs

import (
	"slices"
	"strings"
)

// methods are all that the public listener takes.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

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
	}
	if r.Rewrite != nil {
		ck.complain(child(path, "rewrite"), checkPrefix(*r.Rewrite))
	}
	ck.known(child(path, "upstream"), r.Upstream)
	ck.methods(child(path, "methods"), r)
	ck.person(path, r)
	ck.routeCallers(path, r)
	ck.warnRoute(path, r)
	if !r.Isolate {
		ck.warn(child(path, "isolate"), "HTML from the API becomes a document of your own origin: its scripts can call everything a signed-in page can", "true, unless the API serves pages that people open")
	}
}

func routeFault(s string) complaint {
	if c := prefixFault(s); c.is() {
		return c
	}
	if strings.HasPrefix(s, "/bff/") {
		return complaint{"/bff/ is Coatcheck's own", "/api/"}
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
		return complaint{"a prefix ends with /, so that /api is not /apix", s + "/"}
	}
	return complaint{}
}

func (ck *checker) methods(path string, r *Route) {
	if len(r.Methods) == 0 {
		ck.refuse(path, "the list is empty: nothing would pass", "leave it out")
	}
	for i, m := range r.Methods {
		at := item(path, i)
		switch {
		case m == "*":
			ck.refuse(at, "there is no wildcard for methods", "list each method")
		case !slices.Contains(methods, m) && slices.Contains(methods, strings.ToUpper(m)):
			ck.refuse(at, "methods are written in capitals", strings.ToUpper(m))
		case !slices.Contains(methods, m):
			ck.refuse(at, ck.quote(at, m)+" never reaches a route", strings.Join(methods, ", "))
		case slices.Index(r.Methods, m) < i:
			ck.refuse(at, "this method stands twice", "")
		}
	}
	if r.WebSocket && len(r.Methods) > 0 && !slices.Contains(r.Methods, "GET") {
		ck.refuse(path, "a WebSocket begins with GET", "add GET")
	}
}

// person checks what the route has to do with sessions.
func (ck *checker) person(path string, r *Route) {
	if !r.Guard && r.Session != "none" {
		ck.refuse(child(path, "guard"), "without the guard, every site could call this in a signed-in person's name", "session: none, or guard: true")
	}
	if r.SendToken != nil && *r.SendToken && r.Session == "none" {
		ck.refuse(child(path, "send_token"), "with session: none there is no token to send", "session: optional")
	}
}
