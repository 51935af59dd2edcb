package proxy

import "coatcheck/bff/call"

// appendXForwarded tells the API whom it answers, and under which address: what a server
// behind a proxy needs to know, in the fields that all of them read. X-Request-Id is the
// name that our log line has for the call.
func appendXForwarded(b []byte, c *call.Call) []byte {
	b = append(b, "X-Forwarded-For: "...)
	b = c.Request.Client.AppendTo(b)
	b = append(append(b, "\r\nX-Forwarded-Host: "...), c.Request.Authority...)
	b = append(append(b, "\r\nX-Forwarded-Proto: "...), c.Frontend().Scheme...)
	if prefix := c.Route().ForwardedPrefix; prefix != "" {
		b = append(append(b, "\r\nX-Forwarded-Prefix: "...), prefix...)
	}
	b = append(append(b, "\r\nX-Request-Id: "...), c.ID...)
	return append(b, '\r', '\n')
}

// appendForwarded appends what X-Forwarded-* says in the words of RFC 7239 §4: one element,
// because no proxy before Coatcheck is known by more than the client's address. An IPv6
// address stands in brackets and quotes (§6), and so does a host with a port.
func appendForwarded(b []byte, c *call.Call) []byte {
	b = append(b, "Forwarded: for="...)
	switch client := c.Request.Client; {
	case !client.IsValid():
		b = append(b, "unknown"...)
	case client.Is6():
		b = append(client.AppendTo(append(b, `"[`...)), `]"`...)
	default:
		b = client.AppendTo(b)
	}
	b = append(append(b, `;host="`...), c.Request.Authority...)
	b = append(append(b, `";proto=`...), c.Frontend().Scheme...)
	return append(b, '\r', '\n')
}
