package check

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// notOurs are the headers that the connection, the forwarder or the mapping's own
// keys write. Whoever could set them too could split a message or claim an address.
var notOurs = []string{
	"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", // RFC 9110 §7.6.1
	"content-length", "host", "expect", "forwarded", "x-request-id", "proxy-authorization", "proxy-authenticate",
	"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-accept", // RFC 6455 §11.3
}

// headers checks headers that a mapping puts.
func (ck *checker) headers(path string, headers map[string]mapping.Template) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		at, lower := child(path, name), strings.ToLower(name)
		switch {
		case !http1.IsToken([]byte(name)):
			ck.refuse(at, "not a valid header name", "")
		case slices.Contains(notOurs, lower) || strings.HasPrefix(lower, "x-forwarded-"):
			ck.refuse(at, "Coatcheck sets this header itself", "")
		case seen[lower]:
			ck.refuse(at, "duplicate header: header names are not case-sensitive", "")
		case strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			ck.refuse(at, "a header's value holds no line break or control character", "")
		}
		seen[lower] = true
	}
}

// carried checks that every frontend whose token goes to u has the value called name.
func (ck upstreamCheck) carried(path string, u *configs.Upstream, name string) {
	if mapping.IsBuiltIn(name) || slices.Contains(callerNames, name) {
		return
	}
	for _, frontend := range slices.Sorted(maps.Keys(ck.config.Frontends)) {
		f := ck.config.Frontends[frontend]
		from := ck.config.Upstreams[f.Login.Upstream]
		if from == nil || from.Login == nil && len(f.Login.Provider) == 0 || from != u && !f.Carries(ck.config, u) {
			continue
		}
		if known := f.Values(from); !slices.Contains(known, name) {
			ck.refuse(path, ck.braced(path, name)+" is not a value that frontend "+frontend+"'s sign-in takes", suggestName(name, known))
			return
		}
	}
	if u.Login != nil && !slices.Contains(u.Values(), name) && !ck.anyoneSignsIn(u) {
		ck.refuse(path, ck.braced(path, name)+" is not a value of login.credential", suggestName(name, u.Values()))
	}
}

func (ck *checker) anyoneSignsIn(u *configs.Upstream) bool {
	return slices.ContainsFunc(ck.all(), func(f *configs.Frontend) bool { return ck.config.Upstreams[f.Login.Upstream] == u })
}

func suggestName(name string, known []string) string {
	if hint := rule.Suggest(name, known); hint != "" {
		return hint
	}
	if len(known) == 0 {
		return credential.AccessToken
	}
	return "known: " + strings.Join(known, ", ")
}
