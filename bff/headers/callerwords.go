package headers

import (
	"bytes"
	"strings"
)

// What servers and frameworks believe of a caller, they read from headers that a front
// is meant to set: the address (Express, Rails and every "real IP" middleware), the host
// and the scheme, the path (WSGI, IIS), the person and their certificate (single sign-on
// reverse proxies). New ones are invented faster than a list can grow, so names are judged by
// their words. A leading "x-" counts for nothing.
//
// Ordinary names that only share a word pass: X-User-Agent, X-Host-Count, X-Client-Version,
// X-Auth-Token, X-Shipping-Address, Sec-CH-Prefers-Color-Scheme.
var (
	// callerWords are held back wherever they stand in a name.
	callerWords = setOf("forwarded", "forwardedfor", "https", "ssl", "tls", "authenticated", "webauth", "proxyuser", "clientcert", "clientip", "realip",
		"remoteip", "userip", "sourceip", "srcip", "socketip", "peerip", "callerip", "visitorip", "proxyip", "trueip", "originip", "clientaddr", "remoteaddr", "remoteuser")

	// callerPairs are two words that follow each other, wherever they stand.
	callerPairs = pairsOf(
		pairs{"client real remote source src peer origin originating original external caller visitor viewer user socket proxy connecting connection true cluster edge host incoming", "ip ips ipv4 ipv6 addr"},
		pairs{"client remote source peer external socket", "address port"},
		pairs{"real remote orig origin original client caller peer public http request", "host hostname"},
		pairs{"real original request url", "scheme proto protocol"},
		pairs{"original rewrite rewritten real unencoded http request", "url uri path"},
		pairs{"host method path url uri proto scheme", "override"}, pairs{"override", "host method path url uri proto scheme"},
		pairs{"client peer", "cert certs certificate certificates dn verify verified verification san subject issuer fingerprint cn principal"},
		pairs{"subject issuer", "dn"}, pairs{"distinguished", "name"}, pairs{"forward forwarder", "for host proto"}, pairs{"ip", "addr address"},
	)

	// callerStarts are how a name begins.
	callerStarts = setOf("remote", "coming-from", "proxy", "base-url", "base-uri", "base-path", "script-name", "path-info", "server-name", "server-port",
		"jwt-assertion", "jwt-claim", "jwt-payload").with(pairsOf(
		pairs{"user", "id name email mail login role roles group groups permissions scopes claims info principal identity dn uid uuid sub subject"},
		pairs{"auth sso login", "user username userid email mail name group groups role roles sub subject uid principal identity request"},
	))

	// callerNames are whole names.
	callerNames = setOf("ip", "ips", "ipaddress", "addr", "host", "hostname", "scheme", "proto", "protocol", "url", "uri",
		"user", "username", "userid", "userinfo", "uid", "principal", "identity", "email", "groups", "roles")
)

// speaksOfCaller reports whether some server would believe a header of this name, which
// is in lower case, about the caller's address, host, scheme, path or identity.
func speaksOfCaller(name []byte) bool {
	name, _ = bytes.CutPrefix(name, []byte("x-"))
	if callerNames[string(name)] {
		return true
	}
	for before, start := 0, 0; start < len(name); {
		end := start
		for end < len(name) && name[end] != '-' {
			end++
		}
		if callerWords[string(name[start:end])] || callerStarts[string(name[:end])] || callerPairs[string(name[before:end])] {
			return true
		}
		before, start = start, end+1
	}
	return false
}

// words is a set of words, or of words joined by hyphens.
type words map[string]bool

func setOf(list ...string) words {
	set := words{}
	for _, w := range list {
		set[w] = true
	}
	return set
}

func (w words) with(more words) words {
	for name := range more {
		w[name] = true
	}
	return w
}

// pairs are two lists of words, of which each of the first may stand before each of the
// second.
type pairs struct{ first, second string }

func pairsOf(list ...pairs) words {
	set := words{}
	for _, p := range list {
		for _, first := range strings.Fields(p.first) {
			for _, second := range strings.Fields(p.second) {
				set[first+"-"+second] = true
			}
		}
	}
	return set
}
