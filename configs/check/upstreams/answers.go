package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// answers checks what answers are said to mean. what is login, way, step, refresh or verify.
func (ck mappingCheck) answers(path string, answers []mapping.Rule, u *configs.Upstream, what string) {
	for i, a := range answers {
		at := item(child(path, "answers"), i)
		if !ck.Config.Source.Has(at) {
			continue // a default of ours
		}
		ck.ComplainOf(at, a.Faults())
		if a.At != nil {
			ck.notTaken(child(at, "at"), *a.At)
		}
		ck.outcome(at, a, u, what)
		ck.patterns(child(at, "is"), a.Is)
	}
}

// outcome checks what follows from an answer.
func (ck mappingCheck) outcome(path string, a mapping.Rule, u *configs.Upstream, what string) {
	signIn := what == "login" || what == "way" || what == "step"
	switch {
	case (a.Means == "") == (a.Step == ""):
		// reported as a fault of the rule itself
	case a.Step != "" && !signIn:
		ck.Refuse(child(path, "step"), "only a sign-in has steps", "")
	case a.Step != "" && (u.Login == nil || u.Login.Steps[a.Step] == nil):
		var names []string
		if u.Login != nil {
			names = slices.Sorted(maps.Keys(u.Login.Steps))
		}
		at := child(path, "step")
		ck.Refuse(at, "unknown step", ck.Suggest(at, a.Step, names))
	case a.Means == mapping.SessionExpired && signIn:
		ck.Refuse(child(path, "means"), "session_expired is for refresh and verify", "invalid_credentials")
	case a.Means == mapping.Accepted && !signIn:
		ck.Refuse(child(path, "means"), "accepted is for ways, exchanges and their steps", "leave the line out: what no line matches is a success")
	case a.Means != "" && !signIn && !slices.Contains([]string{mapping.SessionExpired, "too_many_attempts", "upstream_invalid"}, a.Means):
		ck.Warn(child(path, "means"), "here only session_expired ends the session; the others count as a failure of the API", "session_expired")
	}
}

// rejected warns of statuses that do not mean what a list of refusals says.
func (ck mappingCheck) rejected(path string, statuses []int) {
	for i, status := range statuses {
		at := item(child(path, "rejected"), i)
		switch {
		case status < 300:
			ck.Warn(at, "a success would count as a refusal", "")
		case status == 429:
			ck.Warn(at, "429 means too_many_attempts anyway, and never a refusal", "leave it out")
		case status >= 500:
			ck.Warn(at, "a failure of the API would count against people", "leave it out")
		}
	}
}

func (ck mappingCheck) patterns(path string, m *mapping.Match) {
	if m == nil {
		return
	}
	for _, value := range m.Values {
		if s, ok := value.(string); ok && len(s) > 2 && strings.Contains(s[1:len(s)-1], "*") {
			ck.Warn(path, "a * counts only at either end; within, it is a plain asterisk", "")
		}
	}
}

// credential checks where a credential is taken from.
// Names of a step's places are checked with the step.
func (ck mappingCheck) credential(path string, places map[string]mapping.Place, needed bool) {
	if _, ok := places[credential.AccessToken]; needed && !ok && len(places) > 0 {
		ck.Refuse(path, "access_token is missing: what the API calls its token goes under this name", "access_token: /token")
	}
	for name, p := range places {
		at := child(path, name)
		if !mapping.IsName(name) {
			ck.Refuse(at, "a value name has letters, digits, \"_\" and \"-\", and starts with a letter or \"_\"", "")
		}
		ck.ComplainOf(at, p.Faults())
		if p.Unit == "ms" && !mapping.IsExpiry(name) {
			ck.Refuse(child(at, "unit"), "a unit is for expires_in, expires_at and their refresh_ kin", "")
		}
		if p.Follow && p.Header == "" && p.Cookie == "" {
			ck.Refuse(child(at, "follow"), "only headers and cookies are followed: bodies pass unread", "{header: …, follow: true}")
		}
	}
	if len(places) == 0 {
		ck.Refuse(path, "must not be empty", "access_token: /token")
	}
}

// place checks a place that no credential is taken from.
func (ck mappingCheck) place(path string, p mapping.Place) {
	ck.ComplainOf(path, p.Faults())
	ck.notTaken(path, p)
}

// named refuses places that are a name of nothing known, by what known tells.
func (ck mappingCheck) named(path string, places map[string]mapping.Place, known scope) {
	for _, key := range slices.Sorted(maps.Keys(places)) {
		p, at := places[key], child(path, key)
		switch {
		case p.Name == "":
		case mapping.IsExpiry(key):
			ck.Refuse(at, "an expiry stands in the answer", "/expires_in")
		case mapping.IsBuiltIn(p.Name):
			ck.Refuse(at, ck.Braced(at, p.Name)+" is not something that was kept or sent", "")
		default:
			ck.names(at, []string{p.Name}, known)
		}
	}
}

// notTaken refuses what only a place of a credential may say.
func (ck mappingCheck) notTaken(path string, p mapping.Place) {
	if p.Unit == "ms" {
		ck.Refuse(child(path, "unit"), "a unit is for expires_in, expires_at and their refresh_ kin", "")
	}
	if p.Follow {
		ck.Refuse(child(path, "follow"), "only values of a credential are followed", "")
	}
}
