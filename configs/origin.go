package configs

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// complaint is what is wrong with a value, and what to write instead. Its zero
// value is "nothing".
type complaint struct{ message, hint string }

func (c complaint) is() bool { return c.message != "" }

// checkOrigin holds s against the serialised form of an origin (RFC 6454 §6.2),
// because it is compared byte for byte with what browsers send.
func checkOrigin(s string) complaint { return settled(s, originFault(s), originFault) }

func originFault(s string) complaint {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case strings.Contains(s, "*"):
		return complaint{"a wildcard would admit every site", "list each origin"}
	case s == "null":
		return complaint{"null is never the origin of your own pages", "list each origin, https://shop.example.com"}
	case !ok:
		return complaint{"an origin is scheme and host", "https://" + s}
	case s != strings.ToLower(s):
		return complaint{"must be lower case", strings.ToLower(s)}
	case scheme != "https" && scheme != "http":
		return complaint{notForCookies, appScheme(scheme)}
	case strings.ContainsAny(rest, "/?#"):
		return complaint{"an origin must not have a path", scheme + "://" + rest[:strings.IndexAny(rest, "/?#")]}
	case strings.Contains(rest, "@"):
		return complaint{"an origin must not have a user name", ""}
	}
	return checkAuthority(scheme, rest)
}

// notForCookies is what is wrong with the origin of an application's own scheme.
const notForCookies = "an origin must be https://: browsers keep no cookies for other schemes"

// appScheme is the way out for applications whose pages have a scheme of their own.
func appScheme(scheme string) string {
	switch scheme {
	case "capacitor", "ionic":
		return "in Capacitor set server.hostname to a host under your domain and the scheme to https, or call by native HTTP with X-CSRF: 1"
	case "tauri", "app", "file":
		return "load the pages from a host under your domain over https, or call by native HTTP with X-CSRF: 1"
	}
	return ""
}

func checkAuthority(scheme, authority string) complaint {
	host, port := splitPort(authority)
	if c := checkHost(host); c.is() {
		if c.hint != "" {
			c.hint = strings.TrimSuffix(scheme+"://"+c.hint+":"+port, ":")
		}
		return c
	}
	switch {
	case strings.HasSuffix(authority, ":") || port != "" && !isPort(port):
		return complaint{"port must be a number from 1 to 65535", scheme + "://" + host}
	case port == defaultPort(scheme):
		return complaint{"browsers omit the default port of an origin", scheme + "://" + host}
	case scheme == "http" && !isLoopback(host):
		return complaint{"plain http is for loopback hosts only (localhost, *.localhost, 127.0.0.0/8, [::1])", strings.TrimSuffix("https://"+host+":"+port, ":")}
	}
	return complaint{}
}

// splitPort takes the port off, if there is one.
func splitPort(authority string) (host, port string) {
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		return authority[:i], authority[i+1:]
	}
	return authority, ""
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// checkHost holds s against the one way a browser writes a host: lower case,
// punycode, no trailing dot; addresses in their canonical form, IPv6 in brackets.
func checkHost(s string) complaint { return settled(s, hostFault(s), hostFault) }

func hostFault(s string) complaint {
	if strings.HasPrefix(s, "[") {
		addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
		if err != nil || addr.Zone() != "" || "["+addr.String()+"]" != s {
			return complaint{"not an IPv6 address in canonical form", ""}
		}
		return complaint{}
	}
	ascii, err := idna.Lookup.ToASCII(s)
	switch {
	case s == "":
		return complaint{"host missing", ""}
	case strings.Contains(s, "*"):
		return complaint{"a wildcard would admit every site", "write each host"}
	case !isASCII(s) && err == nil:
		return complaint{"must be punycode", ascii}
	case s != strings.ToLower(s):
		return complaint{"must be lower case", strings.ToLower(s)}
	case strings.HasSuffix(s, "."):
		return complaint{"must not end with a dot", strings.TrimRight(s, ".")}
	case !isHostName(s):
		return complaint{"not a valid host name", ""}
	}
	return complaint{}
}

// isHostName reports whether s is a name (RFC 1123 §2.1, "_" allowed) or a canonical IPv4 address.
func isHostName(s string) bool {
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

// isLoopback reports whether host never leaves the machine (RFC 6761 §6.3).
func isLoopback(host string) bool {
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
