package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/session/store"
	"coatcheck/configs"
)

// Caller is a program that proved who it is, or may prove it with its body.
type Caller struct {
	// Name of the caller; empty while it is not proven.
	Name string
	// Account of the upstream that its calls go out with; empty: none.
	Account string

	signers []*caller // who may have signed, until the body was read
	limit   int64     // bytes of a body that may be read for them
	once    string    // key of the event in the store; empty: events are not remembered
	id      string    // of this call, while the event is at work
	proven  proven
}

// identify finds out which program calls, and whether it may: who, then route,
// method and address, then its limit. Of a signature only the head is looked at; the
// rest is [Callers.Verify]. Errors: problems, and [store.ErrUnavailable].
func (k *Callers) identify(c *call.Call, p *Principal) error {
	c.Program.Routed = true
	challenge(c)
	if keys := c.Decision.Keys; len(keys) == 1 {
		return k.byKey(c, p, keys[0])
	}
	return k.bySignature(c, p)
}

// challenge says how a program may prove itself. A browser is never asked for Basic: it
// would open a box of its own, and send the answer along with every later call.
func challenge(c *call.Call) {
	f := c.Frontend()
	realm := ` realm="` + f.Name + `"`
	c.Program.Challenges = []string{"Bearer" + realm}
	if f.Config.IsDoor() && c.Route().Programs.Keys.Basic && !c.Request.SpeaksOfBrowser() {
		c.Program.Challenges = append(c.Program.Challenges, "Basic"+realm)
	}
}

// byKey finds whose key was presented.
func (k *Callers) byKey(c *call.Call, p *Principal, presented apikey.Presented) error {
	found, err := k.programs.Keys.Find(context.Background(), presented.Value)
	switch {
	case errors.Is(err, apikey.ErrUnavailable):
		return store.Unavailable("key", err)
	case err != nil && presented.Place == "bearer" && len(k.tokenNames) > 0 && !strings.HasPrefix(presented.Value.Reveal(), apikey.Prefix):
		return k.byToken(c, p, presented.Value)
	case err != nil:
		return k.unknown(c, err.Error())
	}
	who := k.byName[found.Caller]
	if who == nil || who.config.Kind() != configs.ByKey || !reads(who.places, presented.Place) {
		return k.unknown(c, "the key is not read in this place")
	}
	c.Program.Name, c.Program.Key, c.Program.Proof = who.name, found.Public, configs.ByKey
	c.Program.Entry = found.ID
	return k.letIn(c, p, who)
}

// letIn lets a caller in that proved itself in the head of the call, if it may make it.
func (k *Callers) letIn(c *call.Call, p *Principal, who *caller) error {
	if why := who.refuses(c); why != "" {
		return k.notAllowed(c, why)
	}
	p.Caller = &Caller{Name: who.name, Account: who.config.Account}
	return k.count(c, who)
}

// reads reports whether a caller's keys are read in a place, as [apikey.Places.Read]
// names it.
func reads(p apikey.Places, place string) bool {
	kind, name, _ := strings.Cut(place, " ")
	switch kind {
	case "bearer":
		return p.Bearer
	case "basic":
		return p.Basic
	case "header":
		return slices.ContainsFunc(p.Headers, func(h string) bool { return strings.EqualFold(h, name) })
	case "query":
		return slices.Contains(p.Queries, name)
	}
	return false
}

// refuses says why the caller may not make this call; empty: it may.
func (w *caller) refuses(c *call.Call) string {
	switch {
	case !slices.Contains(c.Route().Programs.Callers, w.name):
		return "not a caller of this route"
	case len(w.config.Methods) > 0 && !slices.Contains(w.config.Methods, string(c.Request.Head.Method)):
		return "not one of its methods"
	}
	for _, network := range w.config.Addresses {
		if network.Contains(c.Request.Client) {
			return ""
		}
	}
	if len(w.config.Addresses) > 0 {
		return "not one of its addresses"
	}
	return ""
}

// count counts one call of a caller against its limit.
func (k *Callers) count(c *call.Call, who *caller) error {
	if !who.limited {
		return nil
	}
	d := k.programs.Limits.Allow(context.Background(), who.name, who.limit)
	c.Program.RateLimit, c.Program.RatePolicy = d.Header(), who.policy
	if d.Allowed {
		return nil
	}
	k.events.Metrics.Limited(who.name)
	return problem.TooManyRequests.With(func(p *problem.Problem) { p.RetryAfter = d.RetryAfter }).Because("over the limit of the caller")
}
