package check

import (
	"maps"
	"slices"

	"coatcheck/configs"
)

// offered checks what a frontend offers beside its sign-in.
func (ck frontendCheck) offered(path string, f *configs.Frontend, u *configs.Upstream) {
	ck.listed(child(path, "ways"), f.Login.Ways, u.Ways)
	ck.listed(child(path, "exchanges"), f.Login.Exchanges, u.Exchanges)
	if i := slices.Index(f.Login.FieldNames(), "way"); i >= 0 && len(f.Login.Ways) > 0 {
		ck.Refuse(item(child(path, "fields"), i), "where ways are offered, this name says which one is meant", "another name")
	}
}

// listed checks a list of names of ways or exchanges.
func (ck frontendCheck) listed(path string, names []string, there map[string]*configs.Way) {
	for i, name := range names {
		at := item(path, i)
		switch {
		case there[name] == nil:
			ck.Refuse(at, "the upstream has none of this name", ck.Suggest(at, name, slices.Sorted(maps.Keys(there))))
		case slices.Index(names, name) < i:
			ck.Refuse(at, "listed twice", "")
		}
	}
}
