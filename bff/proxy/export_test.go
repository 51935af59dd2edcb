package proxy

import (
	"coatcheck/bff/routing"
	"coatcheck/upstream/mapping"
)

// RewriteAddress and RewriteLinks are what becomes of a header of the API's, on a call
// to public along the shortest route that t has.
func RewriteAddress(t *routing.Table, called, public, value string) string {
	return string(addressesFor(t, called, public).rewrite([]byte(value)))
}

func RewriteLinks(t *routing.Table, called, public, value string) string {
	return string(addressesFor(t, called, public).rewriteLinks([]byte(value)))
}

func addressesFor(t *routing.Table, called, public string) *addresses {
	f := t.Frontends[0]
	r := f.Routes[len(f.Routes)-1]
	return &addresses{frontend: f, route: r, called: []byte(called), public: []byte(public), asked: []byte(r.Base + r.Rewrite + public[len(r.Prefix):]), send: &mapping.Send{}}
}
