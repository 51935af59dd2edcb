package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// ways checks the other ways in, and the exchanges, of an upstream.
func (ck signInCheck) ways(path string, u *configs.Upstream) {
	for _, name := range slices.Sorted(maps.Keys(u.Ways)) {
		ck.way(child(path, "ways", name), name, u, u.Ways[name], false)
	}
	for _, name := range slices.Sorted(maps.Keys(u.Exchanges)) {
		ck.way(child(path, "exchanges", name), name, u, u.Exchanges[name], true)
	}
}

// way checks one of them as the sign-in that it is like.
func (ck signInCheck) way(at, name string, u *configs.Upstream, w *configs.Way, exchange bool) {
	if !rule.IsLabel(name) {
		ck.Refuse(at, "the name has letters, digits, \".\", \"_\" and \"-\", at most 64", "sign_up")
	}
	if u.Login == nil {
		ck.Refuse(at, "this upstream has no login, which this stands beside", "login: {request: …, credential: …}")
		return
	}
	ck.wayFields(child(at, "fields"), u, w, exchange)
	like := &configs.Upstream{URL: u.URL, Login: w.AsLogin()}
	first := wayNames(u, w, exchange)
	ck.request(child(at, "request"), w.Request, first)
	if ck.Config.Source.Has(child(at, "answers")) {
		ck.answers(at, like.Login.Answers, like, "way")
	}
	ck.rejected(at, w.Rejected)
	if ck.Config.Source.Has(child(at, "credential")) {
		ck.credential(child(at, "credential"), w.Credential, true)
		ck.named(child(at, "credential"), w.Credential, scope{known: w.FieldNames(), hint: "a field of the way"})
	}
	if ck.Config.Source.Has(child(at, "user")) {
		ck.user(child(at, "user"), w.User, like)
	}
	for _, step := range slices.Sorted(maps.Keys(w.Steps)) {
		if own := child(at, "steps", step); ck.Config.Source.Has(own) {
			ck.step(own, step, first, like)
			ck.asksNobody(own, w.Steps[step], exchange)
		}
	}
	if !ck.offers(u, name, exchange) {
		ck.Warn(at, "no frontend offers this", "login: {"+listOf(exchange)+": ["+name+"]}")
	}
}

// listOf is where a frontend lists what it offers.
func listOf(exchange bool) string {
	if exchange {
		return "exchanges"
	}
	return "ways"
}

// wayFields checks what a page posts.
func (ck signInCheck) wayFields(path string, u *configs.Upstream, w *configs.Way, exchange bool) {
	ck.Fields(path, w.Fields)
	switch {
	case exchange:
	case len(w.Fields) == 0:
		ck.Refuse(path, "this key is missing or empty", "[email, password]")
	default:
		ck.AccountField(path, w.Fields)
	}
	for i, name := range w.FieldNames() {
		switch {
		case name == "way":
			ck.Refuse(item(path, i), "this name has a meaning of its own", "")
		case slices.Contains(u.Values(), name):
			ck.Refuse(item(path, i), "a value of the credential has this name, so {"+name+"} would have two meanings", "")
		case mapping.IsName(name) && !slices.Contains(w.Names(), name) && !ck.Config.IsChoice(u, name):
			ck.Warn(item(path, i), "the request sends this field nowhere", "put "+ck.Braced(item(path, i), name)+" into the request")
		}
	}
}

// wayNames are the names that a way's request may use: its fields and, for people who are
// signed in, the session's own values.
func wayNames(u *configs.Upstream, w *configs.Way, exchange bool) scope {
	s := scope{known: w.FieldNames()}
	if exchange {
		s.known = append(s.known, u.Values()...)
	}
	for _, declared := range w.Fields {
		if name, optional := configs.FieldName(declared); optional {
			s.optional = append(s.optional, name)
		}
	}
	s.hint = "known: " + strings.Join(append(slices.Clone(s.known), mapping.BuiltIn()...), ", ")
	return s
}

// asksNobody refuses a step of an exchange that a person would have to answer.
func (ck signInCheck) asksNobody(path string, s *configs.Step, exchange bool) {
	if exchange && len(s.Fields) > 0 {
		ck.Refuse(child(path, "fields"), "an exchange has no step that asks the person", "leave the fields out: the step then runs by itself")
	}
}

// offers reports whether a frontend offers a way or an exchange of u.
func (ck signInCheck) offers(u *configs.Upstream, name string, exchange bool) bool {
	return slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool {
		list := f.Login.Ways
		if exchange {
			list = f.Login.Exchanges
		}
		return ck.Config.Upstreams[f.Login.Upstream] == u && slices.Contains(list, name)
	})
}
