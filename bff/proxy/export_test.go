package proxy

import (
	"coatcheck/bff/call"
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

// FreeBroken frees a call twice whose ties cannot be ended without a fault, and returns how
// often its place was given up, by the first time and in all.
func FreeBroken() (first, left int) {
	x := &roundTrip{call: new(call.Call), leave: func() { left++ }, untrack: func() { panic("fault") }}
	free := func() {
		defer func() { _ = recover() }()
		free(x)
	}
	free()
	first = left
	free()
	return first, left
}
