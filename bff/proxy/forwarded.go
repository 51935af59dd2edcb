package proxy

import "coatcheck/bff/call"

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
