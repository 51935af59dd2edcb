package configs

import "golang.org/x/net/publicsuffix"

// sameSite reports whether a browser takes two hosts for one site: only then a
// SameSite cookie of the one travels on calls that pages of the other make. The
// border is the registrable domain by the public suffix list, its private part
// (github.io) included; a name under no listed suffix, such as *.localhost, has
// its last label for a suffix. Addresses are one site only with themselves.
func sameSite(a, b string) bool {
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

// sites checks that the frontend's pages and its host are one site.
func (ck *checker) sites(path string, f *Frontend) {
	if f.Host == "" {
		return
	}
	for i, o := range f.Origins {
		if host := originHost(o); !checkOrigin(o).is() && !sameSite(host, f.hostName()) {
			ck.refuse(item(child(path, "origins"), i),
				"the pages and "+child(path, "host")+" are different sites: the browser would not send the session cookie",
				"both must be under one registrable domain, as shop.example.com and api.example.com are")
		}
	}
}
