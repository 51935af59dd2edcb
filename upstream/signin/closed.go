package signin

import (
	"maps"
	"slices"
)

// Closed reports whether path is closed to routes, as [mapping.ClosedPaths.Contain] does.
func (u *Upstream) Closed(path []byte) bool { return u.closed.Contain(path) }

// closeSignInPaths closes what mappings request, but for user and verify, at every
// upstream that may be the server that is asked: two names for one API are one API.
func (s *Set) closeSignInPaths() {
	for _, name := range slices.Sorted(maps.Keys(s.upstreams)) {
		for _, r := range s.upstreams[name].signInRequests() {
			for _, u := range s.upstreams {
				if u.address.IsServer(r.to.address) {
					u.closed.Close(r.Request, r.to.address.Path)
				}
			}
		}
	}
}

// signInRequests are the requests that make or end a credential.
func (u *Upstream) signInRequests() []*request {
	var list []*request
	for _, w := range u.Ways.all() {
		list = append(list, w.request)
		for _, s := range w.steps {
			list = append(list, s.request)
		}
	}
	if u.refresh != nil {
		list = append(list, u.refresh.request)
	}
	if u.logout != nil {
		list = append(list, u.logout.request)
	}
	for _, name := range slices.Sorted(maps.Keys(u.accounts)) {
		if a := u.accounts[name]; u.Ways.login == nil || a.login != u.Ways.login.Exchange {
			list = append(list, a.login.request)
		}
	}
	return list
}
