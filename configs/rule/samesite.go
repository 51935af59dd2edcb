package rule

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// SameSite reports whether a browser takes two hosts for one site: only then a
// SameSite cookie of the one travels on calls that pages of the other make. The
// border is the registrable domain by the public suffix list, its private part
// (github.io) included; a name under no listed suffix, such as *.localhost, has
// its last label for a suffix. Addresses are one site only with themselves.
func SameSite(a, b string) bool {
	if a == b {
		return true
	}
	if _, isAddress := address(a); isAddress {
		return false
	}
	if _, isAddress := address(b); isAddress {
		return false
	}
	siteA, errA := publicsuffix.EffectiveTLDPlusOne(a)
	siteB, errB := publicsuffix.EffectiveTLDPlusOne(b)
	return errA == nil && errB == nil && siteA == siteB
}

// IsPublicName reports whether a host has a name below a public suffix that is managed:
// names of private networks (db, db.internal) have none.
func IsPublicName(host string) bool {
	suffix, icann := publicsuffix.PublicSuffix(host)
	return suffix != host && (icann || strings.Contains(suffix, "."))
}
