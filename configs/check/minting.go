package check

import (
	"slices"
	"strings"

	"coatcheck/configs"
)

// mintWords are what paths are called whose answers often hold a token.
var mintWords = []string{"signup", "sign-up", "sign_up", "register", "registration", "impersonate", "change-password", "switch-tenant", "switch-organization", "switch-organisation"}

// minting warns of a route whose path looks like a request that gives a token: its pages
// would read it, and the session would not learn of it.
func (ck routeCheck) minting(path string, f *configs.Frontend, r *configs.Route) {
	u := ck.Config.Upstreams[r.Upstream]
	if u == nil || u.Login == nil || r.BlockTokens {
		return
	}
	target := r.Path
	if r.Rewrite != nil {
		target += "/" + *r.Rewrite
	}
	for segment := range strings.SplitSeq(strings.ToLower(target), "/") {
		if slices.Contains(mintWords, segment) {
			ck.Warn(child(path, "path"), "this looks like a request that gives a token, which a page would read", "a way or an exchange of the upstream, or block_tokens: true")
			return
		}
	}
}
