package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// step checks a second factor or an exchange. first is what the first request knows.
func (ck signInCheck) step(path, name string, first scope, u *configs.Upstream) {
	s := u.Login.Steps[name]
	if !mapping.IsName(name) {
		ck.Refuse(path, "a step name has letters, digits, \"_\" and \"-\"", "")
	}
	ck.Fields(child(path, "fields"), s.Fields)
	sent := ck.sentBefore(name, first, u, map[string]bool{})
	ck.request(child(path, "request"), s.Request, sent.withKept(u))
	for keep, p := range s.Keep {
		at := child(path, "keep", keep)
		if !mapping.IsName(keep) || mapping.IsBuiltIn(keep) || slices.Contains(sent.known, keep) && p.Name != keep {
			ck.Refuse(at, "not a plain name, or reserved", "")
		}
		ck.place(at, p)
	}
	ck.named(child(path, "keep"), s.Keep, ck.leading(name, first, u, map[string]bool{}))
	if s.Answers != nil && ck.Config.Source.Has(child(path, "answers")) {
		ck.answers(path, *s.Answers, u, "step")
	}
	if ck.Config.Source.Has(child(path, "credential")) {
		ck.credential(child(path, "credential"), s.Credential, true)
		ck.named(child(path, "credential"), s.Credential, sent.withKept(u))
	}
	if ck.circles(name, u) {
		ck.Refuse(path, "this step runs by itself and its answers lead back to it: it would loop", "answers: [] or a step with fields")
	}
}

// sentBefore are the fields that a step's request knows: its own, or, where it has none
// and runs by itself, those that the page sent just before, whichever way leads here.
func (ck signInCheck) sentBefore(name string, first scope, u *configs.Upstream, seen map[string]bool) scope {
	s := u.Login.Steps[name]
	if len(s.Fields) > 0 {
		return scope{known: s.FieldNames(), optional: s.OptionalFields()}
	}
	return ck.leading(name, first, u, seen)
}

// leading are the fields that the page sent with the requests whose answers lead to a step.
func (ck signInCheck) leading(name string, first scope, u *configs.Upstream, seen map[string]bool) scope {
	seen[name] = true
	var all scope
	if leadsTo(u.Login.Answers, name) {
		all = first
	}
	for other, before := range u.Login.Steps {
		if !seen[other] && before.Answers != nil && leadsTo(*before.Answers, name) {
			way := ck.sentBefore(other, first, u, seen)
			all.known = slices.Concat(all.known, way.known)
			all.optional = slices.Concat(all.optional, way.optional)
			all.open, all.hidden = all.open || way.open, all.hidden || way.hidden
		}
	}
	return all
}

// withKept adds what steps keep of earlier answers.
func (s scope) withKept(u *configs.Upstream) scope {
	s.known = slices.Clone(s.known)
	for _, step := range u.Login.Steps {
		s.known = slices.AppendSeq(s.known, maps.Keys(step.Keep))
	}
	slices.Sort(s.known)
	s.hint = "a step knows its own fields and what steps keep"
	if !s.hidden {
		s.hint = "known: " + strings.Join(append(slices.Compact(slices.Clone(s.known)), mapping.BuiltIn()...), ", ")
	}
	return s
}

func leadsTo(answers []mapping.Rule, step string) bool {
	return slices.ContainsFunc(answers, func(a mapping.Rule) bool { return a.Step == step })
}

// circles reports whether a step without fields can follow itself through steps without fields only.
func (ck signInCheck) circles(name string, u *configs.Upstream) bool {
	seen, next := map[string]bool{}, []string{name}
	for len(next) > 0 {
		s := u.Login.Steps[next[0]]
		next = next[1:]
		if s == nil || len(s.Fields) > 0 || s.Answers == nil {
			continue
		}
		for _, a := range *s.Answers {
			if a.Step == name {
				return true
			}
			if a.Step != "" && !seen[a.Step] {
				seen[a.Step] = true
				next = append(next, a.Step)
			}
		}
	}
	return false
}
