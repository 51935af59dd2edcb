package server

import (
	"bytes"
	"fmt"

	"coatcheck/bff/http1"
	"coatcheck/upstream"
)

// isolation makes an answer that is shown as a document a dead one: no script, no
// origin. An API's HTML must not become script on the frontend's origin.
const isolation = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

// passAnswer turns the API's answer into the browser's.
func (s *Server) passAnswer(x *exchange) error {
	a := &x.answer
	if a.Status == 407 {
		_ = a.Close()
		return errInvalid // a proxy's challenge is none of the browser's business
	}
	if a.Status == 101 {
		return s.passUpgrade(x)
	}
	if err := checkTypes(a.Fields); err != nil {
		_ = a.Close()
		return err
	}
	x.ctx.SetStatusCode(a.Status)
	x.passFields()
	x.mark()
	return x.passBody()
}

// checkTypes refuses an answer whose Content-Type lines differ: it is one value (RFC 9110
// §8.3), readers disagree on which line counts, and the web server would send one of
// them only.
func checkTypes(fields []http1.Field) error {
	first := -1
	for i := range fields {
		switch {
		case !http1.EqualFold(fields[i].Name, "content-type"):
		case first < 0:
			first = i
		case !bytes.Equal(fields[first].Value, fields[i].Value):
			return fmt.Errorf("%w: Content-Type lines that differ", upstream.ErrInvalid)
		}
	}
	return nil
}

// passFields copies what no rule holds back, every line of it.
func (x *exchange) passFields() {
	r, h := x.route, &x.ctx.Response.Header
	var listed [8][]byte
	names := connectionNames(listed[:0], x.answer.Fields)
	isolate, private := x.isolates(), r.session != sessionNone
	var caching policy
	for i := range x.answer.Fields {
		f := &x.answer.Fields[i]
		switch {
		case r.answer.holds(f.Name) || contains(names, f.Name):
		case private && caching.take(f.Name, f.Value):
		case http1.EqualFold(f.Name, "vary"):
			x.vary(string(f.Value))
		case isolate && (http1.EqualFold(f.Name, "content-security-policy") || http1.EqualFold(f.Name, "content-security-policy-report-only")):
		case http1.EqualFold(f.Name, "content-encoding"):
			x.encode(f.Value)
		case http1.EqualFold(f.Name, "location"):
			h.AddBytesKV(f.Name, x.location(f.Value))
		default:
			h.AddBytesKV(f.Name, f.Value)
		}
	}
	if private {
		x.set("Cache-Control", caching.cacheControl(x.navigates()))
		x.vary("Cookie")
		if has(x.head, "sec-fetch-mode") {
			x.vary("Sec-Fetch-Mode") // or what a page fetched would be shown as a document
		}
	}
}

// encode adds to Content-Encoding. The web server keeps one line of it, so that several
// become one list, which means the same (RFC 9110 §5.3, §8.4).
func (x *exchange) encode(value []byte) {
	h := &x.ctx.Response.Header
	if had := h.ContentEncoding(); len(had) > 0 && len(value) > 0 {
		value = append(append(had[:len(had):len(had)], ", "...), value...)
	}
	if len(value) > 0 {
		h.SetContentEncodingBytes(value)
	}
}

// connectionNames are the fields that the API's Connection names as hop-by-hop.
func connectionNames(names [][]byte, fields []http1.Field) [][]byte {
	for i := range fields {
		if f := &fields[i]; http1.EqualFold(f.Name, "connection") {
			http1.Options(f.Value, func(option []byte) { names = append(names, option) })
		}
	}
	return names
}

func contains(names [][]byte, name []byte) bool {
	for _, n := range names {
		if equalFold(n, name) {
			return true
		}
	}
	return false
}

// isolates reports whether this answer must not become a document. A PDF is left
// alone: its viewer does not work in a sandbox, and it has no origin to act for.
func (x *exchange) isolates() bool {
	if !x.route.config.Isolate {
		return false
	}
	count, pdf := 0, false
	for i := range x.answer.Fields {
		if f := &x.answer.Fields[i]; http1.EqualFold(f.Name, "content-type") {
			count++
			pdf = string(f.Value) == "application/pdf"
		}
	}
	return count != 1 || !pdf
}

// mark puts on the answer what is ours to say.
func (x *exchange) mark() {
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
	if x.isolates() {
		x.set("Content-Security-Policy", isolation)
	}
	if x.session != nil {
		x.set("Coatcheck-Idle-Expires-In", seconds(x.server.manager.IdleLeft(x.session)))
	}
}

// location rewrites a redirect within the upstream's base to the route that served
// the call. All others pass as they are.
func (x *exchange) location(value []byte) []byte {
	r := x.route
	path := value
	if rest, ok := bytes.CutPrefix(value, []byte(r.origin)); ok && (len(rest) == 0 || rest[0] == '/' || rest[0] == '?' || rest[0] == '#') {
		path = rest
	} else if len(value) == 0 || value[0] != '/' || len(value) > 1 && value[1] == '/' {
		return value
	}
	below, ok := bytes.CutPrefix(path, []byte(r.base+r.rewrite))
	if !ok {
		return value
	}
	if r.prefix == "/" && len(below) > 0 && below[0] == '/' {
		return value // "//…" would be another host (RFC 3986 §4.2)
	}
	return append([]byte(r.prefix), below...)
}
