package proxy

import (
	"bytes"

	"coatcheck/bff/http1"
	"coatcheck/bff/routing"
	"coatcheck/upstream/mapping"
)

// addresses turns addresses of the API, as an answer's header names them, into
// addresses of the route that served the call. The API may write its own host, with
// either scheme, the host that X-Forwarded-Host told it, or none.
//
// Whatever is not certainly an address of the API below the route passes as it is:
// what the API says of others is its own business, and an address that cannot be read
// helps whoever looks for the fault more than none. What is changed is always a path of
// the host that was called.
type addresses struct {
	frontend *routing.Frontend
	route    *routing.Route
	called   []byte // authority of the call, as X-Forwarded-Host says it
	public   []byte // path of the call
	asked    []byte // the same as the API knows it
	send     *mapping.Send
}

func (x *roundTrip) addresses() *addresses {
	c := x.call
	r := c.Route()
	return &addresses{frontend: c.Frontend(), route: r, called: c.Request.Authority, public: c.Decision.Target.Path,
		asked: append([]byte(r.Base), c.Decision.Forwarded...), send: x.target.up.Send()}
}

// rewrite turns one address into one of the route, and takes out of it what `send` put
// into the query. It returns value where it is none of the API's, and holds nothing of
// that kind.
func (a *addresses) rewrite(value []byte) []byte { return a.withoutSent(a.relocate(value)) }

// withoutSent takes the parameters of `send` out of an address, whoever's it is: an API
// that links to its next page repeats them.
func (a *addresses) withoutSent(value []byte) []byte {
	start := bytes.IndexByte(value, '?')
	if len(a.send.Query) == 0 || start < 0 {
		return value
	}
	query, fragment := value[start:], []byte(nil)
	if end := bytes.IndexByte(query, '#'); end >= 0 {
		query, fragment = query[:end], query[end:]
	}
	return append(a.send.AppendOthers(bytes.Clone(value[:start]), query), fragment...)
}

func (a *addresses) relocate(value []byte) []byte {
	ref, ok := http1.ParseReference(value)
	if !ok {
		return value
	}
	path, ok := a.publicPath(&ref)
	if !ok {
		return value
	}
	return append(path, ref.Rest...)
}

// publicPath is the path at which the route serves what ref names. ok is false where ref
// is to stay as it is.
func (a *addresses) publicPath(ref *http1.Reference) (path []byte, ok bool) {
	switch {
	case ref.HasAuthority:
		return a.absolutePath(ref)
	case len(ref.Path) == 0:
		return nil, false // the same document
	case ref.Path[0] == '/':
		return a.toldPath(http1.RemoveDots(ref.Path))
	}
	path, ok = a.frontend.PublicPath(a.route, http1.Resolve(a.asked, ref.Path))
	if ok && bytes.Equal(path, http1.Resolve(a.public, ref.Path)) {
		return nil, false // the browser finds it where the API means it
	}
	return path, ok
}

func (a *addresses) absolutePath(ref *http1.Reference) (path []byte, ok bool) {
	path = []byte("/")
	if len(ref.Path) > 0 {
		path = http1.RemoveDots(ref.Path)
	}
	scheme, authority, _ := bytes.Cut([]byte(a.route.Origin), []byte("://"))
	switch {
	case ref.IsAt(a.frontend.Scheme, a.called):
		return a.toldPath(path)
	case ref.IsAt(string(scheme), authority) || ref.IsAt(string(scheme), []byte(a.route.Host)):
		return a.frontend.PublicPath(a.route, path)
	}
	return nil, false
}

// toldPath is for a path of which the API may have known where it is served: it was
// told so by X-Forwarded-Host and X-Forwarded-Prefix. Then it is the public path
// already, or has the prefix in front.
func (a *addresses) toldPath(path []byte) (public []byte, ok bool) {
	if a.route.ForwardedPrefix != "" {
		if own, doubled := a.route.ForwardedPath(path); doubled {
			return a.frontend.PublicPath(a.route, own)
		}
		if a.route.Holds(path) {
			return path, true
		}
	}
	return a.frontend.PublicPath(a.route, path)
}

// rewriteLinks rewrites the targets of a Link field (RFC 8288 §3), whatever their
// relation, and their anchors. A field that cannot be read passes as it is.
func (a *addresses) rewriteLinks(value []byte) []byte {
	out := make([]byte, 0, len(value)+32)
	for i := 0; i < len(value); {
		c := value[i]
		end := i + 1
		switch c {
		case '<':
			n := bytes.IndexByte(value[end:], '>')
			if n < 0 {
				return value
			}
			end += n
			out = append(append(out, '<'), a.rewrite(value[i+1:end])...)
		case '"':
			end = quotedEnd(value, end)
			if end < 0 {
				return value
			}
			text := value[i+1 : end]
			if isAnchor(out) {
				text = a.rewrite(text)
			}
			out = append(append(out, '"'), text...)
		default:
			out = append(out, c)
			i = end
			continue
		}
		out = append(out, value[end])
		i = end + 1
	}
	return out
}

// quotedEnd finds the quote that ends a quoted string, from i on; -1: there is none.
func quotedEnd(value []byte, i int) int {
	for ; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// isAnchor reports whether what was read ends in "anchor=".
func isAnchor(read []byte) bool {
	name, ok := bytes.CutSuffix(bytes.TrimRight(read, " \t"), []byte("="))
	if !ok {
		return false
	}
	name = bytes.TrimRight(name, " \t")
	start := bytes.LastIndexAny(name, "; \t,") + 1
	return http1.EqualFold(name[start:], "anchor")
}
