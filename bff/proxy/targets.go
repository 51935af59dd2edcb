package proxy

import (
	"errors"
	"log/slog"
	"slices"
	"strings"

	"coatcheck/bff/headers"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy/affinity"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
	"coatcheck/upstream/signin"
)

// target is what stands behind a route.
type target struct {
	up        *signin.Upstream
	transport *forward.Transport
	request   headers.Rules      // names that never go to the API
	answer    headers.Rules      // names that never go to the browser
	stale     signin.Stale       // which answers call the token dead
	reads     bool               // answers' bodies are looked at, so that they must be readable
	exchanges bool               // it gets tokens of its own
	streams   int                // most streams of one session at once
	accounts  map[string]account // that programs' calls go out with
	sticky    []string           // cookies of the API's load balancer
	jar       *affinity.Jar      // those of callers without a session
	forwarded bool               // Forwarded is sent, too (RFC 7239)
}

// addTargets makes the ways to the APIs, and what stands behind each route.
func (p *Proxy) addTargets(o Options) error {
	for name := range o.Config.Upstreams {
		if err := p.addTransport(name, o.Upstreams.Get(name)); err != nil {
			return err
		}
	}
	for _, f := range o.Table.Frontends {
		for _, r := range f.Routes {
			if r.DevServer() {
				if err := p.addDevServer(f, r); err != nil {
					return err
				}
				continue
			}
			p.addTarget(r, o.Upstreams.Get(r.Upstream), p.transports[r.Upstream])
		}
	}
	return nil
}

func (p *Proxy) addTransport(name string, up *signin.Upstream) error {
	log := p.events.Log
	c, err := forward.NewTransport(up.ForwardOptions(), func(open bool) {
		log.Warn("circuit breaker", "upstream", name, slog.Bool("open", open))
	})
	if err != nil {
		return err
	}
	p.transports[name], p.jars[name] = c, &affinity.Jar{}
	return nil
}

func (p *Proxy) addTarget(r *routing.Route, up *signin.Upstream, transport *forward.Transport) {
	for len(p.targets) <= r.Index {
		p.targets = append(p.targets, nil)
	}
	rules := p.rulesOf(up, r)
	t := &target{up: up, transport: transport, request: rules.request, answer: rules.answer}
	t.stale = up.Stale()
	t.reads = t.stale.ReadsBodies() || r.Config.BlockTokens
	t.accounts = accountsOf(p.config.Upstreams[r.Upstream], up)
	if u := p.config.Upstreams[r.Upstream]; u != nil {
		t.streams, t.sticky, t.jar = u.StreamsPerSession, u.Sticky, p.jars[r.Upstream]
		t.forwarded = u.Forwarded == "rfc7239"
		t.exchanges = u.Exchange != nil
	}
	p.targets[r.Index] = t
}

// addDevServer makes the way to a frontend's development server, which is an upstream
// of its own.
func (p *Proxy) addDevServer(f *routing.Frontend, r *routing.Route) error {
	set, err := signin.New(map[string]*configs.Upstream{"spa": {URL: f.Config.SPA.Proxy, UpstreamTransport: configs.UpstreamTransport{InsecureHTTP: true}}}, signin.Options{})
	if err != nil {
		return err
	}
	name := "spa of " + f.Name
	if err := p.addTransport(name, set.Get("spa")); err != nil {
		return err
	}
	p.addTarget(r, set.Get("spa"), p.transports[name])
	return nil
}

// Transports tells how the ways to the APIs are, by upstream.
func (p *Proxy) Transports() map[string]forward.TransportStats {
	found := map[string]forward.TransportStats{}
	for name, c := range p.transports {
		found[name] = c.Stats()
	}
	return found
}

// Carries names what carries a person on calls of a route: headers in lower case, then
// the rest of `send`.
func (p *Proxy) Carries(r *routing.Route) []string {
	names := p.targets[r.Index].up.Carries()
	if u := p.config.Upstreams[r.Upstream]; u != nil && u.DPoP {
		names = append(names, "dpop (where the token is bound to a key)")
	}
	return names
}

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

// devServerAway makes an error of the way to a development server a problem that names
// it: nobody is helped by "the API cannot be reached" when Vite does not run. Its
// address is the configuration's; errors of an API are returned as they are.
func (x *roundTrip) devServerAway(err error) error {
	away := errors.Is(err, upstream.ErrUnreachable) || errors.Is(err, upstream.ErrTimeout) || errors.Is(err, forward.ErrOpen)
	route := x.call.Route()
	if !away || !route.DevServer() {
		return err
	}
	return problem.UpstreamUnreachable.With(func(p *problem.Problem) {
		p.Heading = "The development server does not answer"
		p.Detail = "Nothing answers at " + route.Origin + ". Start it, for example with “npm run dev”, then load this page again."
	}).Because(err.Error())
}
