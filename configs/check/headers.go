package check

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/upstream/mapping"
)

// ownHeaders are the headers that the connection, the forwarder or the mapping's own
// keys write. Whoever could set them too could split a message or claim an address.
var ownHeaders = []string{
	"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", // RFC 9110 §7.6.1
	"content-length", "host", "expect", "forwarded", "x-request-id", "proxy-authorization", "proxy-authenticate",
	"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-accept", // RFC 6455 §11.3
}

// IsOwnHeader reports whether a header is one that a configuration cannot set.
func IsOwnHeader(name string) bool {
	lower := strings.ToLower(name)
	return slices.Contains(ownHeaders, lower) || strings.HasPrefix(lower, "x-forwarded-")
}

// Headers checks headers that a mapping puts.
func (ck *Checker) Headers(path string, headers map[string]mapping.Template) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		at, lower := child(path, name), strings.ToLower(name)
		switch {
		case !http1.IsToken([]byte(name)):
			ck.Refuse(at, "not a valid header name", "")
		case IsOwnHeader(name):
			ck.Refuse(at, "Coatcheck sets this header itself", "")
		case seen[lower]:
			ck.Refuse(at, "duplicate header: header names are not case-sensitive", "")
		case strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			ck.Refuse(at, "a header's value holds no line break or control character", "")
		}
		seen[lower] = true
	}
}
