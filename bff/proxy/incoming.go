package proxy

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/upstream"
)

// isolation makes an answer that is shown as a document a dead one: no script, no
// origin. An API's HTML must not become script on the frontend's origin.
const isolation = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

// incoming is a round trip whose answer is taken back to the browser.
type incoming struct{ *roundTrip }

// pass turns the API's answer into the browser's.
func (in incoming) pass() error {
	a := &in.answer
	if a.Status == 407 {
		return problem.UpstreamInvalid.Because("status 407, a proxy's challenge, which no browser may see")
	}
	if a.Status == 101 {
		return upgrade(in).passUpgrade()
	}
	if err := checkTypes(a.Fields); err != nil {
		return err
	}
	if err := in.catchTokens(); err != nil {
		return err
	}
	in.call.Reply.Status = a.Status
	in.passFields()
	in.mark()
	return bodyPass(in).passBody()
}

// checkTypes refuses an answer whose Content-Type lines differ: it is one value (RFC 9110
// §8.3), and readers disagree on which line counts.
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
func (in incoming) passFields() {
	h := &in.call.Reply.Header
	var room [8][]byte
	hopByHop := connectionNames(room[:0], in.answer.Fields)
	private := in.call.Route().Session != routing.SessionNone || in.who.Caller != nil
	isolate := in.isolates()
	var caching policy
	for i := range in.answer.Fields {
		f := &in.answer.Fields[i]
		switch {
		case in.target.answer.Holds(f.Name), contains(hopByHop, f.Name), in.proven && http1.EqualFold(f.Name, "dpop-nonce"):
		case isolate && isPolicy(f.Name): // ours takes its place
		case private && caching.consume(f.Name, f.Value):
		default:
			in.passField(h, f)
		}
	}
	if private {
		in.keepPrivate(h, &caching)
	}
}

// passField copies one field. What browsers read one line of becomes one.
func (in incoming) passField(h *call.Header, f *http1.Field) {
	switch {
	case http1.EqualFold(f.Name, "vary"):
		h.Vary(string(f.Value))
	case http1.EqualFold(f.Name, "content-encoding"):
		addEncoding(h, f.Value)
	case http1.EqualFold(f.Name, "content-type"):
		h.Set("Content-Type", string(f.Value)) // all lines are equal, see checkTypes
	default:
		if value := in.told(f); !showsSent(in.roundTrip, value) {
			h.AddBytes(f.Name, value)
		}
	}
}

// isPolicy reports whether a field is a Content-Security-Policy, be it one that is only
// reported on.
func isPolicy(name []byte) bool {
	return http1.EqualFold(name, "content-security-policy") || http1.EqualFold(name, "content-security-policy-report-only")
}

// keepPrivate says how the answer may be kept: by the browser of this person alone.
func (in incoming) keepPrivate(h *call.Header, caching *policy) {
	request := &in.call.Request
	h.Set("Cache-Control", caching.cacheControl(request.Navigates()))
	if in.who.Caller == nil {
		h.Vary("Cookie")
	}
	if request.Head.Has("sec-fetch-mode") {
		h.Vary("Sec-Fetch-Mode") // or what a page fetched would be shown as a document
	}
}

// told is what the browser gets of a field: addresses become those of the route.
func (in incoming) told(f *http1.Field) []byte {
	switch {
	case http1.EqualFold(f.Name, "location") || http1.EqualFold(f.Name, "content-location"):
		return in.addresses().rewrite(f.Value)
	case http1.EqualFold(f.Name, "link"):
		return in.addresses().rewriteLinks(f.Value)
	}
	return f.Value
}

// addEncoding adds to Content-Encoding. Several lines become one list, which means the same
// (RFC 9110 §5.3, §8.4), because not every reader looks at more than one.
func addEncoding(h *call.Header, value []byte) {
	had := h.Get("Content-Encoding")
	switch {
	case len(value) == 0:
	case had == "":
		h.Set("Content-Encoding", string(value))
	default:
		h.Set("Content-Encoding", had+", "+string(value))
	}
}

// connectionNames are the fields that the API's Connection names as hop-by-hop.
func connectionNames(names [][]byte, fields []http1.Field) [][]byte {
	for i := range fields {
		if f := &fields[i]; http1.EqualFold(f.Name, "connection") {
			http1.EachListMember(f.Value, func(option []byte) { names = append(names, option) })
		}
	}
	return names
}

func contains(names [][]byte, name []byte) bool {
	for _, n := range names {
		if http1.EqualFoldBytes(n, name) {
			return true
		}
	}
	return false
}

// isolates reports whether this answer must not become a document that acts.
func (in incoming) isolates() bool {
	if !in.call.Route().Config.Isolate {
		return false
	}
	value, count := field(in.answer.Fields, "content-type")
	return count == 0 || !isInert(value)
}

// isInert reports whether a browser opens a document of this type without running
// anything of it on the frontend's origin, and shows nothing of it in a sandbox: a PDF,
// whose viewer does not work there, sounds, and films, which load themselves again.
// Parameters count for nothing. In a list the last type would count (Fetch, "extract a
// MIME type"), and what ends in +xml is XML, which runs scripts.
func isInert(contentType []byte) bool {
	kind, _, _ := bytes.Cut(contentType, []byte{';'})
	kind = http1.TrimOWS(kind)
	if bytes.IndexByte(contentType, ',') >= 0 || bytes.IndexByte(kind, '+') >= 0 {
		return false
	}
	return http1.EqualFold(kind, "application/pdf") || http1.HasPrefixFold(kind, "audio/") || http1.HasPrefixFold(kind, "video/")
}

// mark puts on the answer what is ours to say.
func (in incoming) mark() {
	h := &in.call.Reply.Header
	h.Set("X-Content-Type-Options", "nosniff")
	in.call.IsolateOrigin()
	if in.isolates() {
		h.Set("Content-Security-Policy", isolation)
	}
	if in.answer.Status == 401 && in.who.Session != nil && in.who.Session.Provider != "" {
		if demand := stepUp(in.answer.Fields); demand != "" {
			h.Set("Coatcheck-Login", demand)
		}
	}
	if s := in.who.Session; s != nil {
		h.SetInt("Coatcheck-Idle-Expires-In", int64(in.proxy.manager.IdleLeft(s)/time.Second))
	}
}

// lines are the values of an answer's fields called name, also of those that never
// reach the browser.
func (x *roundTrip) lines(name string) (values []string) {
	for i := range x.answer.Fields {
		if f := &x.answer.Fields[i]; len(f.Name) == len(name) && http1.EqualFoldBytes(f.Name, []byte(name)) {
			values = append(values, string(slices.Clone(f.Value)))
		}
	}
	return values
}

// field finds a field of the answer: the last value, and how many there are.
func field(fields []http1.Field, lower string) (value []byte, count int) {
	for i := range fields {
		if http1.EqualFold(fields[i].Name, lower) {
			value = fields[i].Value
			count++
		}
	}
	return value, count
}
