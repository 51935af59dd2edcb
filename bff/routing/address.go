package routing

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"coatcheck/bff/http1"
)

// trusts reports whether X-Forwarded-* of this peer counts.
func (t *Table) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(t.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// clientAddress is the address a call came from: the peer; behind trusted proxies,
// the right-most entry of X-Forwarded-For that is not one. Each proxy appends what
// it saw, so that everything left of that entry is the client's own invention.
func (t *Table) clientAddress(peer netip.Addr, h *http1.Head) netip.Addr {
	address := peer
	for i := len(h.Fields) - 1; i >= 0; i-- {
		if !http1.EqualFold(h.Fields[i].Name, "x-forwarded-for") {
			continue
		}
		for rest := h.Fields[i].Value; len(rest) > 0; {
			entry := rest
			if comma := bytes.LastIndexByte(rest, ','); comma >= 0 {
				entry, rest = rest[comma+1:], rest[:comma]
			} else {
				rest = nil
			}
			next, ok := parseAddress(string(http1.TrimOWS(entry)))
			if !ok {
				return address // the last good one
			}
			if address = next; !t.trusts(address) {
				return address
			}
		}
	}
	return address
}

// parseAddress reads 1.2.3.4, 1.2.3.4:567, ::1, [::1], [::1]:80; IPv4 mapped into
// IPv6 becomes IPv4, a zone is dropped.
func parseAddress(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// calledHost is the host that a call through a trusted proxy is for: Host, or
// X-Forwarded-Host where it holds exactly one value.
func calledHost(h *http1.Head) []byte {
	forwarded, n := h.Get("x-forwarded-host")
	if n == 1 && http1.IsHost(forwarded) { // a list is not a host
		return forwarded
	}
	return h.Host
}

// hostName is the lower case of a Host without its port and one dot at the end,
// written into buf.
func hostName(buf, host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i > bytes.LastIndexByte(host, ']') {
		host = host[:i]
	}
	host = bytes.TrimSuffix(host, []byte{'.'})
	for _, c := range host {
		buf = append(buf, http1.Lower(c))
	}
	return buf
}

// OriginHost is the host of a serialised origin, without its port.
func OriginHost(origin string) string {
	_, rest, _ := strings.Cut(origin, "://")
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		rest = rest[:i]
	}
	return rest
}

// originAuthority is host[:port] of an origin.
func originAuthority(origin []byte) string {
	_, authority, _ := bytes.Cut(origin, []byte("://"))
	return string(authority)
}
