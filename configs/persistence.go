package configs

import "slices"

// Persistence says whether a session's cookie outlives the browser: never (the zero
// value), always, or where the person wants it.
type Persistence struct {
	Always bool
	// Field is the boolean sign-in field by which people choose; empty: they do not.
	Field string
}

// ChoiceKind is the kind of the field by which the people of f choose whether their
// cookie outlives the browser; empty: no page posts it. It may be a field of the sign-in
// at u, of a way that f offers, or of one of their steps.
func (f *Frontend) ChoiceKind(u *Upstream) (kind string) {
	for _, fields := range f.fieldLists(u) {
		for _, declared := range fields {
			if name, _ := FieldName(declared); name != f.Cookie.Persistent.Field {
				continue
			}
			if kind, _ = FieldKind(declared); kind != BoolField {
				return kind
			}
		}
	}
	return kind
}

// fieldLists are the fields that pages of f may post to sign in at u, one list for each request.
func (f *Frontend) fieldLists(u *Upstream) [][]string {
	lists := [][]string{f.Login.Fields}
	addSteps := func(steps map[string]*Step) {
		for _, s := range steps {
			lists = append(lists, s.Fields)
		}
	}
	if u.Login != nil {
		addSteps(u.Login.Steps)
	}
	for name, w := range u.Ways {
		if slices.Contains(f.Login.Ways, name) {
			lists = append(lists, w.Fields)
			addSteps(w.Steps)
		}
	}
	return lists
}

// IsChoice reports whether some frontend that signs in at u has its people choose by the
// field called name, which then need not go to the API.
func (c *Config) IsChoice(u *Upstream, name string) bool {
	for _, f := range c.Frontends {
		if c.Upstreams[f.Login.Upstream] == u && f.Cookie.Persistent.Field == name {
			return true
		}
	}
	return false
}
