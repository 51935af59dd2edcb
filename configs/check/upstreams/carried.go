package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// carried checks that every frontend whose token goes to u has the value called name.
func (ck upstreamCheck) carried(path string, u *configs.Upstream, name string) {
	if mapping.IsBuiltIn(name) || slices.Contains(callerNames, name) {
		return
	}
	for _, frontend := range slices.Sorted(maps.Keys(ck.Config.Frontends)) {
		f := ck.Config.Frontends[frontend]
		from := ck.Config.Upstreams[f.Login.Upstream]
		if from == nil || from.Login == nil && len(f.Login.Provider) == 0 || from != u && !f.Carries(ck.Config, u) {
			continue
		}
		if known := f.Values(from); !slices.Contains(known, name) {
			ck.Refuse(path, ck.Braced(path, name)+" is not a value that frontend "+frontend+"'s sign-in takes", ck.suggestName(path, name, known))
			return
		}
	}
	if u.Login != nil && !slices.Contains(u.Values(), name) && !ck.anyoneSignsIn(u) {
		ck.Refuse(path, ck.Braced(path, name)+" is not a value of login.credential", ck.suggestName(path, name, u.Values()))
	}
}

func (ck signInCheck) anyoneSignsIn(u *configs.Upstream) bool {
	return slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool { return ck.Config.Upstreams[f.Login.Upstream] == u })
}

func (ck signInCheck) suggestName(path, name string, known []string) string {
	if hint := ck.Suggest(path, name, known); hint != "" {
		return hint
	}
	if len(known) == 0 {
		return credential.AccessToken
	}
	return "known: " + strings.Join(known, ", ")
}
