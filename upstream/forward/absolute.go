package forward

import (
	"bytes"

	"coatcheck/upstream"
)

// absolute writes heads for a proxy that forwards plain HTTP: the target names the API
// (RFC 9112 §3.2.2), and the proxy is shown what it wants to see.
type absolute struct {
	origin        string // scheme and authority of the API
	authorization string // of Proxy-Authorization; empty: none
}

// absoluteFor is nil where targets are in origin-form.
func absoluteFor(d *upstream.Dialer, origin string) *absolute {
	p := d.Absolute()
	if p == nil {
		return nil
	}
	return &absolute{origin: origin, authorization: p.Authorization()}
}

// append appends head as it goes to the proxy.
func (a *absolute) append(b, head []byte) []byte {
	method, rest, _ := bytes.Cut(head, []byte{' '})
	b = append(append(b, method...), ' ')
	b = append(append(b, a.origin...), rest...)
	if a.authorization != "" {
		b = append(append(append(b, "Proxy-Authorization: "...), a.authorization...), "\r\n"...)
	}
	return b
}
