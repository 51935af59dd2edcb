package upstreams

import (
	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// closing warns where a sign-in path is not, or should not be, closed to pages.
// Sign-in paths are closed to routes: a page that reached one could mint itself a token.
func (ck upstreamCheck) closing(path, name string, u *configs.Upstream) {
	for at, r := range u.SignInRequests(path) {
		if r == nil || r.Path == "" {
			continue
		}
		at = child(at, "request", "path")
		asked := name
		if r.Upstream != "" {
			asked = r.Upstream
		}
		if _, whole := mapping.NewTemplate(r.Path).Whole(); whole {
			ck.Warn(at, "a path that the API gives cannot be closed to pages", "private_paths: [/what/it/begins/with]")
		}
		if rule.IsOnlyEndpoint(r.Path) && ck.routed(asked) {
			ck.Warn(at, "this looks like the API's only endpoint: sign-in paths are closed to pages, so all their calls here will be 404",
				"give people another path to sign in at than the pages' calls have")
		}
	}
}

// routed reports whether pages reach the API called name, also under another upstream's name.
func (ck upstreamCheck) routed(name string) bool {
	at := ck.Config.Upstreams[name]
	for _, f := range ck.Config.Frontends {
		for _, r := range f.Routes {
			to := ck.Config.Upstreams[r.Upstream]
			if at != nil && to != nil && rule.SameServer(at.URL, to.URL) {
				return true
			}
		}
	}
	return false
}
