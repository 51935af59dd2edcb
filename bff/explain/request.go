package explain

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/configs"
)

// RawRequest is a request to be explained, as a client would write it.
type RawRequest struct {
	// Method and URL of the request; the URL is absolute.
	Method, URL string
	// Headers are lines: "Name: value".
	Headers []string
	// Body of the request, for calls that may be signed; nil: it is not known.
	Body []byte
	// Peer is the address the connection comes from.
	Peer netip.Addr
}

// gateRefusal is a request that never becomes a call: what stands on the wire is not
// well-formed HTTP, or its method is not known.
type gateRefusal struct{ error }

// head reads the request as the gate would.
func (q RawRequest) head(c *configs.Config) (*http1.Head, error) {
	// Not left to net/url: what it cannot read is worth an explanation, too.
	scheme, rest, ok := strings.Cut(q.URL, "://")
	end := strings.IndexAny(rest+"/", "/?#\\")
	if !ok || end == 0 || scheme != "https" && scheme != "http" {
		return nil, fmt.Errorf("%q is not an absolute URL", q.URL)
	}
	host, target := rest[:end], rest[end:]
	host = host[strings.LastIndexByte(host, '@')+1:] // names and passwords never stand in Host (RFC 9110 §4.2.4)
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	text := q.Method + " " + target + " HTTP/1.1\r\n"
	if !hasHost(q.Headers) {
		text += "Host: " + host + "\r\n"
	}
	for _, line := range q.Headers {
		text += line + "\r\n"
	}
	var in http1.Reader
	in.Reset(bytes.NewReader([]byte(text + "\r\n")))
	head := new(http1.Head)
	err := head.ReadRequest(&in, int(c.Limits.Header))
	if err == nil {
		err = gate.Check(head, c.UnusualMethods())
	}
	if err != nil {
		return nil, gateRefusal{err}
	}
	return head, nil
}

func hasHost(lines []string) bool {
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, ":"); http1.EqualFold([]byte(name), "host") {
			return true
		}
	}
	return false
}
