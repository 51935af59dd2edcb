package rule

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// FrontendHost is [Host] for a value that may have a port, and in which people
// write origins.
func FrontendHost(s, scheme string) Complaint {
	fault := func(s string) Complaint { return frontendHostFault(s, scheme) }
	return settled(s, fault(s), fault)
}

func frontendHostFault(s, scheme string) Complaint {
	if _, bare, isOrigin := strings.Cut(s, "://"); isOrigin {
		bare, _, _ = strings.Cut(bare, "/")
		return Complaint{"a host has no scheme", bare}
	}
	host, port := SplitPort(s)
	switch {
	case host == s:
		return hostFault(s)
	case !IsPort(port):
		return Complaint{"port must be a number from 1 to 65535", host}
	case port == DefaultPort(scheme):
		return Complaint{"the default port of " + scheme + " must be left out", host}
	}
	return hostFault(host)
}

// BareHost is [Host] for a value in which people write origins and ports.
func BareHost(s string) Complaint { return settled(s, bareHostFault(s), bareHostFault) }

func bareHostFault(s string) Complaint {
	_, bare, isOrigin := strings.Cut(s, "://")
	if isOrigin {
		bare, _, _ = strings.Cut(bare, "/")
		host, _ := SplitPort(bare)
		return Complaint{"must be a host name without scheme and port", host}
	}
	if host, port := SplitPort(s); port != "" {
		return Complaint{"must be a host name without a port", host}
	}
	return hostFault(s)
}

// SplitPort takes the port off, if there is one.
func SplitPort(authority string) (host, port string) {
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		return authority[:i], authority[i+1:]
	}
	return authority, ""
}

// IsPort reports whether s is a port, 1 to 65535, in decimal digits without leading zeros.
func IsPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// DefaultPort is the port of https, or of http.
func DefaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// Host holds s against the one way a browser writes a host: lower case,
// punycode, no trailing dot; addresses in their canonical form, IPv6 in brackets.
func Host(s string) Complaint { return settled(s, hostFault(s), hostFault) }

func hostFault(s string) Complaint {
	if strings.HasPrefix(s, "[") {
		addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
		if err != nil || addr.Zone() != "" || "["+addr.String()+"]" != s {
			return Complaint{"not an IPv6 address in canonical form", ""}
		}
		return Complaint{}
	}
	ascii, err := idna.Lookup.ToASCII(s)
	switch {
	case s == "":
		return Complaint{"host missing", ""}
	case strings.Contains(s, "*"):
		return Complaint{"a wildcard would admit every site", "write each host"}
	case !isASCII(s) && err == nil:
		return Complaint{"must be punycode", ascii}
	case s != strings.ToLower(s):
		return Complaint{"must be lower case", strings.ToLower(s)}
	case strings.HasSuffix(s, "."):
		return Complaint{"must not end with a dot", strings.TrimRight(s, ".")}
	case !IsHostName(s):
		return Complaint{"not a valid host name", ""}
	}
	return Complaint{}
}

// IsHostName reports whether s is a name (RFC 1123 §2.1, "_" allowed) or a canonical IPv4 address.
func IsHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' {
			return false
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' { // a browser reads an address
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.String() == s
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// IsLoopback reports whether host never leaves the machine (RFC 6761 §6.3).
func IsLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, ok := address(host)
	return ok && addr.IsLoopback()
}

// address reads a host that is an IP address.
func address(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return addr, err == nil
}

// LikelyURL is what somebody meant who left the scheme out.
func LikelyURL(value string) string {
	_, rest, has := strings.Cut(value, "://")
	if !has {
		rest = value
	}
	u, err := url.Parse("https://" + rest)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || Host(URLHost(u)).Is() || u.Port() != "" && !IsPort(u.Port()) ||
		u.Path != "" && Path(u.EscapedPath()).Is() {
		return "https://api.example.net"
	}
	if IsLoopback(URLHost(u)) {
		u.Scheme = "http"
	}
	return u.String()
}

// URLHost is a URL's host without port, IPv6 in brackets.
func URLHost(u *url.URL) string {
	host, _ := SplitPort(u.Host)
	return host
}
