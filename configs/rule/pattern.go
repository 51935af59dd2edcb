package rule

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Pattern is origins that differ in one label, https://*.preview.example.com: previews of
// branches, a subdomain for each customer.
type Pattern struct {
	// Scheme is https or http, Base what stands behind the label, Port empty for the
	// scheme's own.
	Scheme, Base, Port string
}

// String is the pattern as a file has it.
func (p Pattern) String() string {
	return strings.TrimSuffix(p.Scheme+"://*."+p.Base+":"+p.Port, ":")
}

// IsPattern reports whether an origin is meant as a pattern.
func IsPattern(s string) bool { return strings.Contains(s, "://*.") }

// OriginPattern reads a pattern. Its star is one whole label, and what stands behind it is
// under a domain that somebody registered: never a public suffix, below which strangers
// have sites.
func OriginPattern(s string) (Pattern, Complaint) {
	scheme, rest, _ := strings.Cut(s, "://")
	rest, ok := strings.CutPrefix(rest, "*.")
	base, port := SplitPort(rest)
	p := Pattern{Scheme: scheme, Base: base, Port: port}
	if c := Origin(scheme + "://" + rest); c.Is() {
		if c.Hint != "" {
			c.Hint = strings.Replace(c.Hint, "://", "://*.", 1)
		}
		return p, c
	}
	_, isAddress := address(base)
	_, err := publicsuffix.EffectiveTLDPlusOne(base)
	switch {
	case !ok || strings.Contains(rest, "*"):
		return p, Complaint{"a star stands for one whole label, the first", "https://*.preview.example.com"}
	case isAddress:
		return p, Complaint{"an address has no subdomains", "list each origin"}
	case err != nil:
		return p, Complaint{"strangers have sites there: what stands behind the star must be under a domain of your own", "https://*.preview.example.com"}
	}
	return p, Complaint{}
}

// Holds reports whether a host, in lower case and without a port, is one label in front of
// the base.
func (p Pattern) Holds(host []byte) bool {
	n := len(host) - len(p.Base) - 1
	return n > 0 && host[n] == '.' && string(host[n+1:]) == p.Base && isOneLabel(host[:n])
}

// HoldsOrigin reports whether a serialised origin is one that the pattern means, byte for
// byte but for its first label.
func (p Pattern) HoldsOrigin(origin []byte) bool {
	head, tail := p.Scheme+"://", ""
	if p.Port != "" {
		tail = ":" + p.Port
	}
	if len(origin) <= len(head)+len(tail) || string(origin[:len(head)]) != head || string(origin[len(origin)-len(tail):]) != tail {
		return false
	}
	return p.Holds(origin[len(head) : len(origin)-len(tail)])
}

// isOneLabel reports whether b is a label as browsers write one: lower case, punycode.
func isOneLabel(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 63 && b[0] != '-' && b[len(b)-1] != '-'
}
