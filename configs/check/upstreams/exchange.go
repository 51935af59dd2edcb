package upstreams

import (
	"maps"
	"slices"

	"coatcheck/configs"
)

// exchangeAt checks a token exchange for an upstream.
func (ck upstreamCheck) exchangeAt(path, name string, u *configs.Upstream) {
	x := u.Exchange
	if x == nil {
		return
	}
	at := child(path, "exchange")
	if x.Audience == "" && x.Resource == "" {
		ck.Refuse(at, "a token is asked for an audience or a resource", "{audience: orders}")
	}
	if x.Resource != "" {
		ck.URL(child(at, "resource"), x.Resource)
	}
	ck.Scopes(child(at, "scopes"), x.Scopes)
	ck.exchangesForAll(at, u)
	if !slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool { return len(f.Login.Provider) > 0 && f.Carries(ck.Config, u) }) {
		ck.Warn(at, "no route sends the token of somebody who signed in at a provider here, so nothing is exchanged", "send_token: true at a route to "+name)
	}
}

// exchangesForAll warns where people sign in by form: nobody exchanges their tokens, and
// this API must not see one that is for another.
func (ck upstreamCheck) exchangesForAll(at string, u *configs.Upstream) {
	for _, name := range slices.Sorted(maps.Keys(ck.Config.Frontends)) {
		f := ck.Config.Frontends[name]
		if f.Carries(ck.Config, u) && (len(f.Login.Provider) == 0 || len(f.Login.Fields) > 0) {
			ck.Warn(at, "who signs in by form at frontend "+name+" has no token that can be exchanged, and is refused here", "send_token: false at that frontend's routes, or provider without fields")
		}
	}
}
