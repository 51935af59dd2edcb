package checker

import (
	"slices"
	"strings"
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
