package proxy

import (
	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
	"coatcheck/upstream/mapping"
)

// protocols is the field by which a page offers what it speaks over a WebSocket, and
// extensions the one for what may be done to its frames.
const (
	protocols  = "sec-websocket-protocol"
	extensions = "sec-websocket-extensions"
)

// composes reports whether a field of a handshake is not passed on as it came. Where the
// first message is filled in, no extension may change how it is written.
func (t *target) composes(name []byte) bool {
	return http1.EqualFold(name, protocols) || t.up.Send().Message != nil && http1.EqualFold(name, extensions)
}

// appendProtocols makes one line of all Sec-WebSocket-Protocol lines. They are one list
// (RFC 6455 §11.3.4), of which the API chooses one; ours come last.
func appendProtocols(b []byte, h *http1.Head, send *mapping.Send, c *credential.Credential, who mapping.Caller) []byte {
	var room [256]byte
	offered := offeredBy(room[:0], h)
	start := len(b)
	b = append(append(b, mapping.Protocol...), ": "...)
	if len(send.Protocols) > 0 {
		name := len(b)
		if b = send.AppendProtocols(b, offered, c, who); len(b) == name {
			return b[:start]
		}
		return append(b, '\r', '\n')
	}
	if len(offered) == 0 {
		return b[:start]
	}
	return append(append(b, offered...), '\r', '\n')
}

// offeredBy appends the list of what the page offers.
func offeredBy(b []byte, h *http1.Head) []byte {
	some := false
	for i := range h.Fields {
		f := &h.Fields[i]
		if !http1.EqualFold(f.Name, protocols) {
			continue
		}
		if some {
			b = append(b, ", "...)
		}
		b, some = append(b, f.Value...), true
	}
	return b
}

// offers reports whether the page offered a protocol, on any line.
func offers(head *http1.Head, protocol []byte) bool {
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.EqualFold(f.Name, protocols) && http1.ListHolds(f.Value, protocol) {
			return true
		}
	}
	return false
}

// agrees reports whether the API chose at most one protocol, and one that was offered. A
// page that offered none may be answered one of ours, and does not learn of it; one that offered
// some hears of its own only, or the browser would break the connection off.
func (x upgrade) agrees() bool {
	head := x.call.Request.Head
	protocol, chosen := field(x.answer.Fields, protocols)
	switch {
	case chosen == 0:
		return true
	case chosen > 1:
		return false
	case offers(head, protocol):
		return true
	}
	return !head.Has(protocols) && x.target.up.Send().Offers(protocol, x.token(), x.caller())
}

// caller is what the API learns of who calls, where `send` says something of it.
func (x *roundTrip) caller() (who mapping.Caller) {
	if x.target.up.SendsCaller() {
		who = x.call.Caller()
	}
	return who
}
