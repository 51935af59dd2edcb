package check

import (
	"slices"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

func (ck routeCheck) routes(path string, f *configs.Frontend) {
	seen := map[string]bool{}
	for i, r := range f.Routes {
		at := item(child(path, "routes"), i)
		if seen[r.Path] && r.Path != "" {
			ck.Refuse(child(at, "path"), "another route of this frontend has this path", "")
		}
		seen[r.Path] = true
		ck.route(at, f, r)
	}
}

func (ck routeCheck) route(path string, f *configs.Frontend, r *configs.Route) {
	if r.Path != "" && !ck.Complain(child(path, "path"), rule.RoutePath(r.Path)) {
		if r.Path == "/" && f.SPA != nil {
			ck.Warn(child(path, "path"), "this takes every path, and leaves none for spa", "/api/")
		}
		if rule.LooksLikePrefix(r.Path) {
			ck.Warn(child(path, "path"), "this takes the one path "+r.Path+" and nothing below it", r.Path+"/")
		}
	}
	if r.Rewrite != nil {
		check := rule.Prefix
		if r.IsExact() {
			check = rule.Path
		}
		ck.Complain(child(path, "rewrite"), check(*r.Rewrite))
	}
	ck.KnownUpstream(child(path, "upstream"), r.Upstream)
	ck.Methods(child(path, "methods"), r.Methods)
	if r.WebSocket && len(r.Methods) > 0 && !slices.Contains(r.Methods, "GET") {
		ck.Refuse(child(path, "methods"), "a WebSocket handshake is a GET", "add GET")
	}
	ck.passHeaders(child(path, "pass_headers"), f, r)
	ck.person(path, r)
	ck.routeCallers(path, r)
	ck.opened(path, f, r)
	ck.minting(path, f, r)
	ck.warnRoute(path, r)
	if !r.Isolate {
		ck.Warn(child(path, "isolate"), "HTML from the API becomes a document of your own origin: its scripts can call everything a signed-in page can", "true, unless the API serves pages that people open")
	}
}

// opened checks what lets calls through that a page's own fetch did not make.
func (ck routeCheck) opened(path string, f *configs.Frontend, r *configs.Route) {
	if r.CSRFHeader == "off" && f.CSRFHeader != "off" {
		ck.Warn(child(path, "csrf_header"), siblingsPost, "unsafe, unless a page must call this by sendBeacon or a form")
	}
	if r.Navigation != "allow" {
		return
	}
	at := child(path, "navigation")
	switch {
	case !r.Isolate:
		ck.Refuse(at, "what other sites can open must not become a page of your own origin", "isolate: true")
	case !slices.Contains(r.Methods, "GET"):
		ck.Refuse(at, "links and downloads are GET, which this route does not take", "methods: [GET]")
	case r.Session != "none" && f.Cookie.SameSite == "strict":
		ck.Warn(at, "browsers bring a Strict cookie from no other site: nobody is signed in who follows a link from there", "cookie: {same_site: lax}")
	}
}

// siblingsPost is what csrf_header: off costs.
const siblingsPost = "a sibling of this site can then post in a person's name, wherever a browser sends no Sec-Fetch-Site"

// person checks what the route has to do with sessions.
func (ck routeCheck) person(path string, r *configs.Route) {
	if !r.Guard && r.Session != "none" {
		ck.Refuse(child(path, "guard"), "without the guard, every site could call this in the name of a signed-in person", "session: none, or guard: true")
	}
	if r.SendToken != nil && *r.SendToken && r.Session == "none" {
		ck.Refuse(child(path, "send_token"), "session: none has no token to send", "session: optional")
	}
}
