package check

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// frontends checks each frontend and then all of them together.
func (ck frontendCheck) frontends() {
	names := slices.Sorted(maps.Keys(ck.Config.Frontends))
	cookies, near := map[string]string{}, newNeighbours()
	for _, name := range names {
		f, path := ck.Config.Frontends[name], child("frontends", name)
		ck.frontend(path, name, f)
		// A sign-in that waits for a step, or for a provider, has a cookie of its own, named after the session's.
		for _, cookie := range []string{f.Cookie.Name, f.Cookie.Name + "-step", f.Cookie.Name + "-login"} {
			if f.IsDoor() {
				break
			}
			if other, taken := cookies[cookie]; taken && other != name {
				ck.Refuse(child(path, "cookie", "name"), "cookie name already used by frontend "+other, ownCookie)
				break
			}
			cookies[cookie] = name
		}
		for _, other := range near.join(name, f) {
			ck.together(name, other)
			ck.shareThrottle(name, other)
		}
	}
}

func (ck frontendCheck) frontend(path, name string, f *configs.Frontend) {
	if !rule.IsLabel(name) {
		ck.Refuse(path, "the name of a frontend has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
	}
	if ck.missingOrigins(path, f) {
		ck.missingLogin(path)
		ck.signIn(path, f)
		ck.routes(path, f)
		return
	}
	if f.IsDoor() {
		ck.door(path, f)
	} else {
		ck.missingLogin(path)
		ck.origins(path, f)
	}
	if f.Host != "" && !ck.Complain(child(path, "host"), rule.FrontendHost(f.Host, f.Scheme())) {
		ck.sites(path, f)
	}
	if f.BasePath != "" {
		ck.Complain(child(path, "base_path"), rule.BasePath(f.BasePath))
	}
	if !f.IsDoor() {
		ck.cookie(path, f)
		ck.persistence(child(path, "cookie", "persistent"), f)
		ck.signIn(path, f)
	}
	ck.cors(path, f)
	ck.spa(path, f)
	if ck.Config.TLS != nil && len(f.Origins) > 0 && !f.IsHTTPS() {
		ck.Warn(child(path, "origins"), "the listener speaks TLS, but these pages come over plain http: their calls are cross-site", "https:// origins, or no tls")
	}
	if f.CSRFHeader == "off" {
		ck.Warn(child(path, "csrf_header"), siblingsPost, "unsafe")
	}
	ck.sharedThrottle(path, f)
	ck.warnFrontend(path, f)
	ck.routes(path, f)
}

func (ck frontendCheck) origins(path string, f *configs.Frontend) {
	seen := map[string]bool{}
	for i, o := range f.Origins {
		at := item(child(path, "origins"), i)
		switch {
		case o == "":
			ck.Refuse(at, "must not be empty", "https://shop.example.com")
		case rule.IsPattern(o) && ck.pattern(at, o, f):
		case !rule.IsPattern(o) && ck.Complain(at, rule.Origin(o)):
		case seen[o]:
			ck.Refuse(at, "duplicate origin", "")
		case i > 0 && f.IsHTTPS() != strings.HasPrefix(o, "https://"):
			ck.Refuse(at, "the origins of a frontend are all https or all http", "make it a frontend of its own")
		}
		seen[o] = true
	}
}

// ownCookie is the hint that never clashes with another frontend.
const ownCookie = "leave the name out: it is made of the frontend's own"

// cookie checks the name. Browsers enforce the prefix: a cookie whose name begins
// so can be set by this very host only, over https, for all of its paths.
func (ck frontendCheck) cookie(path string, f *configs.Frontend) {
	at, name := child(path, "cookie", "name"), f.Cookie.Name
	switch {
	case !strings.HasPrefix(name, "__Host-"):
		ck.Refuse(at, "must start with __Host- (case-sensitive)", ownCookie)
	case name == "__Host-" || name == "__Host-Http-":
		ck.Refuse(at, "a name is missing after the prefix", ownCookie)
	case !http1.IsToken([]byte(name)) || len(name) > 128:
		ck.Refuse(at, "a cookie name has letters, digits and !#$%&'*+-.^_`|~, at most 128 characters (RFC 6265)", ownCookie)
	}
}

// cors checks the additions; a wildcard means nothing where credentials travel (Fetch standard, 3.3.4).
func (ck frontendCheck) cors(path string, f *configs.Frontend) {
	for key, names := range map[string][]string{"allow_headers": f.CORS.AllowHeaders, "expose_headers": f.CORS.ExposeHeaders} {
		for i, name := range names {
			at := item(child(path, "cors", key), i)
			switch {
			case strings.Contains(name, "*"):
				ck.Refuse(at, "browsers ignore * where cookies are sent", "list each header")
			case !http1.IsToken([]byte(name)):
				ck.Refuse(at, "not a valid header name", "")
			}
		}
	}
}

func (ck frontendCheck) spa(path string, f *configs.Frontend) {
	if f.SPA == nil {
		return
	}
	at := child(path, "spa")
	if (f.SPA.Dir == "") == (f.SPA.Proxy == "") {
		ck.Refuse(at, "set exactly one of dir and proxy", "{dir: web/dist}")
	}
	if strings.ContainsFunc(f.SPA.CSP, func(r rune) bool { return r < ' ' || r > '~' }) {
		ck.Refuse(child(at, "csp"), "a policy must be visible ASCII and spaces on one line", "")
	}
	if f.SPA.Proxy == "" {
		return
	}
	host := ck.URL(child(at, "proxy"), f.SPA.Proxy)
	u, _ := url.Parse(f.SPA.Proxy)
	switch {
	case host == "":
	case ck.ListensAt(host, cmp.Or(u.Port(), rule.DefaultPort(u.Scheme))):
		ck.Refuse(child(at, "proxy"), "Coatcheck's own address: requests would loop", "the address of the development server itself")
	case !rule.IsLoopback(host):
		ck.Warn(child(at, "proxy"), "this development server is on another machine", "{dir: …} for built files")
	}
}

// together checks two frontends against each other.
func (ck frontendCheck) together(name, otherName string) {
	path, f, other := child("frontends", name), ck.Config.Frontends[name], ck.Config.Frontends[otherName]
	if !overlaps(f.Hosts(), other.Hosts()) {
		return
	}
	switch same := f.BasePath == other.BasePath; {
	case same && equalSets(f.Hosts(), other.Hosts()) && equalSets(f.Origins, other.Origins):
		ck.Refuse(path, "equal to frontend "+otherName+" in host, origins and base_path: no call could tell them apart", "give one a base_path, or origins of its own")
	case same && !overlaps(f.Origins, other.Origins):
		ck.ambiguous(name, otherName)
		ck.ambiguous(otherName, name)
	case same && overlaps(f.Origins, other.Origins):
		ck.Warn(child(path, "origins"), "pages of an origin that frontend "+otherName+" lists too cannot say whose call it is (400 frontend_undetermined)", "give one a base_path, or origins of its own")
	}
	if overlaps(f.Origins, other.Origins) {
		ck.shadowed(name, otherName)
		ck.shadowed(otherName, name)
	}
}

// ambiguous warns of links to a sign-in, which have no origin that could say whose they are.
func (ck frontendCheck) ambiguous(name, otherName string) {
	if len(ck.Config.Frontends[name].Login.Provider) > 0 {
		ck.Warn(child("frontends", name, "login", "provider"),
			"frontend "+otherName+" has the same host, and a link has no origin: links to the sign-in must say frontend="+name,
			"/bff/login?frontend="+name+"&return_to=/")
	}
}

// shadowed warns of routes whose calls go to the longer base path of another frontend.
func (ck frontendCheck) shadowed(name, otherName string) {
	f, other := ck.Config.Frontends[name], ck.Config.Frontends[otherName]
	if len(other.BasePath) <= len(f.BasePath) {
		return
	}
	for i, r := range f.Routes {
		if r.Path != "" && strings.HasPrefix(f.BasePath+r.Path+"/", other.BasePath+"/") {
			ck.Warn(child(item(child("frontends", name, "routes"), i), "path"), "never reached: frontend "+otherName+" has these calls by its base_path", "")
		}
	}
}

func overlaps(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func equalSets(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
