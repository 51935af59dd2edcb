package check

import (
	"slices"
	"strings"

	"coatcheck/bff/headers"
	"coatcheck/bff/http1"
	"coatcheck/configs"
)

// passHeaders checks the names that a route lets through although servers may read them
// as others.
func (ck routeCheck) passHeaders(path string, f *configs.Frontend, r *configs.Route) {
	seen := map[string]bool{}
	for i, name := range r.PassHeaders {
		at, lower := item(path, i), strings.ToLower(name)
		switch why := headers.Unpassable(name); {
		case strings.Contains(name, "*"):
			ck.Refuse(at, "there are no wildcards for headers", "list each header")
		case !http1.IsToken([]byte(name)) || strings.Trim(name, "_.-") == "":
			ck.Refuse(at, "not a valid header name", "")
		case why != "":
			ck.Refuse(at, "held back for safety: "+why, "send: {headers: …} puts a value of yours")
		case ck.isSent(r.Upstream, name):
			ck.Refuse(at, "servers could take it for a header of send", "leave it out: send puts it")
		case seen[lower]:
			ck.Refuse(at, "duplicate header: names are not case-sensitive", "")
		case http1.IsPlainName([]byte(name)):
			ck.Warn(at, "passes without being named", "leave it out")
		case f.SharedHost() && !slices.ContainsFunc(f.CORS.AllowHeaders, func(a string) bool { return strings.EqualFold(a, name) }):
			ck.Warn(at, "pages of another origin may not send it: it is not in cors.allow_headers", "cors: {allow_headers: ["+name+"]}")
		}
		seen[lower] = true
	}
}

// isSent reports whether a server that reads every other character as a hyphen takes name
// for a header that carries the person to the upstream.
func (ck routeCheck) isSent(upstream, name string) bool {
	u := ck.Config.Upstreams[upstream]
	if u == nil {
		return false
	}
	sent, _ := u.SendHeaders()
	for own := range sent {
		if headers.SameWords(own, name) {
			return true
		}
	}
	return false
}
