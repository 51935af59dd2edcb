package proxy

import (
	"slices"
	"strings"

	"coatcheck/bff/headers"
	"coatcheck/bff/routing"
	"coatcheck/upstream/signin"
)

// rules are what a route holds back, both ways. They never change.
type rules struct{ request, answer headers.Rules }

// rulesOf makes the rules of a route, or finds those of another with the same names:
// thousands of routes lead to few APIs. Beside the tables they hold back what carries a
// person or proves who calls.
func (p *Proxy) rulesOf(u *signin.Upstream, r *routing.Route) rules {
	names, passed, hidden := slices.Concat(u.SendNames(), r.Secret), r.Config.PassHeaders, u.HiddenNames()
	key := strings.Join(names, ",") + ";" + strings.Join(passed, ",") + ";" + strings.Join(hidden, ",") // no name of a field holds either
	made, known := p.rules[key]
	if !known {
		made = rules{headers.ToAPI(names, passed), headers.ToBrowser(hidden)}
		p.rules[key] = made
	}
	return made
}
