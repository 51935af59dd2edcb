package check

import (
	"maps"
	"net/url"
	"strings"

	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// closing warns where a sign-in path is not, or should not be, closed to pages.
// Sign-in paths are closed to routes: a page that reached one could mint itself a token.
func (ck upstreamCheck) closing(path, name string, u *configs.Upstream) {
	for at, r := range signInRequests(path, u) {
		if r == nil || r.Path == "" {
			continue
		}
		at = child(at, "request", "path")
		asked := name
		if r.Upstream != "" {
			asked = r.Upstream
		}
		if _, whole := mapping.NewTemplate(r.Path).Whole(); whole {
			ck.warn(at, "a path that the API gives cannot be closed to pages", "private_paths: [/what/it/begins/with]")
		}
		if isOnlyEndpoint(r.Path) && ck.routed(asked) {
			ck.warn(at, "this looks like the API's only endpoint: sign-in paths are closed to pages, so all their calls here will be 404",
				"give people another path to sign in at than the pages' calls have")
		}
	}
}

// signInRequests are the requests whose paths are closed, by the key path of what holds them.
func signInRequests(path string, u *configs.Upstream) map[string]*mapping.Request {
	list := map[string]*mapping.Request{}
	if u.Login != nil {
		list[child(path, "login")] = u.Login.Request
		for name, s := range u.Login.Steps {
			list[child(path, "login", "steps", name)] = s.Request
		}
	}
	for at, w := range u.AllWays() {
		list[path+"."+at] = w.Request
		if u.Login != nil && maps.Equal(w.Steps, u.Login.Steps) {
			continue // login's own
		}
		for name, s := range w.Steps {
			list[path+"."+child(at, "steps", name)] = s.Request
		}
	}
	if u.Refresh != nil {
		list[child(path, "refresh")] = u.Refresh.Request
	}
	if u.Logout != nil {
		list[child(path, "logout")] = u.Logout.Request
	}
	for name, a := range u.Accounts {
		if a.Login != nil {
			list[child(path, "accounts", name, "login")] = a.Login.Request
		}
	}
	return list
}

// isOnlyEndpoint reports whether a path looks like all that an API has.
func isOnlyEndpoint(path string) bool {
	last := strings.ToLower(strings.Trim(path, "/"))
	last = last[strings.LastIndexByte(last, '/')+1:]
	return last == "" || last == "graphql" || last == "graphiql" || last == "rpc" || last == "jsonrpc"
}

// routed reports whether pages reach the API called name, also under another upstream's name.
func (ck upstreamCheck) routed(name string) bool {
	at := ck.config.Upstreams[name]
	for _, f := range ck.config.Frontends {
		for _, r := range f.Routes {
			to := ck.config.Upstreams[r.Upstream]
			if at != nil && to != nil && sameServer(at.URL, to.URL) {
				return true
			}
		}
	}
	return false
}

func sameServer(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Scheme == ub.Scheme && strings.EqualFold(ua.Host, ub.Host)
}
