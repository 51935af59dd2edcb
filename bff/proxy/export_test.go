package proxy

import (
	"errors"

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

// RunBroken runs a tunnel without its ends.
func RunBroken(events call.Events) error {
	t := &tunnel{faults: events}
	t.run()
	if t.code == 0 {
		return nil
	}
	return errors.New("ended")
}

// FrameHead is the size of a frame's head and of its payload.
var FrameHead = frameHead

// Greet lets the parts of what a page sends pass a greeting: what goes on, the first
// message as it came, and the close code.
func Greet(parts [][]byte) (out, message []byte, fault int) {
	g := &greeting{fill: func(sent []byte) ([]byte, bool) {
		message = append([]byte{}, sent...)
		return []byte("filled"), true
	}}
	for _, p := range parts {
		if g.done {
			out = append(out, p...)
			continue
		}
		more, fault := g.take(p)
		out = append(out, more...)
		if fault != 0 {
			return out, message, fault
		}
	}
	return out, message, 0
}
