package oidc

import (
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream"
)

// reach decides which addresses may be dialled. Hosts that the operator named are
// dialled wherever they are. A host that only the provider's metadata names must be
// public, or as private as the issuer itself: no metadata leads us to another server nearby.
type reach struct {
	named map[string]bool

	mu   sync.Mutex
	seen map[class]bool // classes of the addresses that named hosts had
}

// class of an address, by who can reach it.
type class int

const (
	public class = iota
	private
	linkLocal
	loopback
)

func newReach(c *configs.Provider) *reach {
	r := &reach{named: map[string]bool{}, seen: map[class]bool{}}
	urls := []string{c.Issuer, c.Authorization, c.Token, c.Revocation}
	if c.User != nil {
		urls = append(urls, c.User.URL)
	}
	for _, raw := range urls {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			r.named[strings.ToLower(u.Hostname())] = true
		}
	}
	for host := range c.Addresses {
		r.named[strings.ToLower(host)] = true
	}
	return r
}

// allow judges an address right before it is dialled.
func (r *reach) allow(host string, addr netip.Addr) error {
	kind := classOf(addr)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.named[host] {
		r.seen[kind] = true
		return nil
	}
	if kind == public || r.seen[kind] {
		return nil
	}
	return upstream.ErrForbiddenAddress
}

// allowName judges a host that a proxy is asked for. It resolves the name, so a host that
// only the metadata names must at least look public.
func (r *reach) allowName(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		return r.allow(host, addr.Unmap())
	}
	if r.named[host] || rule.IsPublicName(host) {
		return nil
	}
	return upstream.ErrForbiddenAddress
}

// What the standard library does not count as private: addresses behind a carrier's
// translation (RFC 6598), this network (RFC 6890), and IPv4 behind a translator (RFC 6052).
var (
	carrier     = netip.MustParsePrefix("100.64.0.0/10")
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	translated  = netip.MustParsePrefix("64:ff9b::/96")
)

func classOf(a netip.Addr) class {
	if translated.Contains(a) {
		whole := a.As16()
		a = netip.AddrFrom4([4]byte(whole[12:]))
	}
	switch {
	case a.IsLoopback(), a.IsUnspecified(), thisNetwork.Contains(a):
		return loopback
	case a.IsLinkLocalUnicast(), a.IsMulticast():
		return linkLocal
	case a.IsPrivate(), carrier.Contains(a):
		return private
	}
	return public
}
