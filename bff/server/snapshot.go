package server

import (
	"maps"
	"slices"
	"time"

	"coatcheck/bff/account"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/pending"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/upstream/oidc"
	"coatcheck/upstream/signin"
)

// snapshot is a configuration made ready to be served: the table, and the rooms that
// answer by it. It never changes; a reload makes another and swaps them.
type snapshot struct {
	config    *configs.Config
	table     *routing.Table
	account   *account.Account
	pages     *pages.Server
	proxy     *proxy.Proxy
	providers map[string]*oidc.Provider
	routes    []*metrics.Route // counters, by route
	frontends []*metrics.Route // counters of /bff and of pages, by frontend
}

func (s *Server) newSnapshot(c *configs.Config, ups *signin.Set) (*snapshot, error) {
	table, err := routing.New(c, routing.Options{Closed: ups.Closed, HasPages: func(name string) bool { return s.builtIn[name] != nil }})
	if err != nil {
		return nil, err
	}
	events := call.Events{Log: s.log, Metrics: s.metrics}
	n := &snapshot{config: c, table: table, providers: map[string]*oidc.Provider{}}
	methods, sealer, err := s.addProviders(n)
	if err != nil {
		return nil, err
	}
	who := auth.New(s.manager, table, ups, methods, events, s.programs)
	n.account = account.New(account.Options{Manager: s.manager, Auth: who, Events: events, Client: s.client, Background: &s.background,
		Providers: n.providers, Sealer: sealer})
	if n.pages, err = pages.New(pages.Options{Table: table, Manager: s.manager, Document: n.account.Document, Pages: s.builtIn}); err != nil {
		return nil, err
	}
	if n.proxy, err = proxy.New(proxy.Options{Config: c, Table: table, Upstreams: ups, Manager: s.manager, Auth: who, Events: events,
		Open: &s.open, Draining: &s.draining}); err != nil {
		return nil, err
	}
	n.count(s.metrics)
	return n, nil
}

// Providers names the providers of the configuration that is in use.
func (s *Server) Providers() []string {
	return slices.Sorted(maps.Keys(s.current.Load().providers))
}

// addProviders makes the providers of the configuration. None is called yet.
func (s *Server) addProviders(n *snapshot) (map[string]auth.Method, *pending.Sealer, error) {
	if len(n.config.Providers) == 0 {
		return nil, nil, nil
	}
	methods := map[string]auth.Method{}
	for name, c := range n.config.Providers {
		p, err := oidc.New(name, c, oidc.Options{Log: s.log, Observe: func(exchange string, took time.Duration, _ error) {
			s.metrics.Provider(name, exchange, took)
		}})
		if err != nil {
			return nil, nil, err
		}
		n.providers[name], methods[name] = p, p
	}
	var keys []credential.Secret
	for _, k := range n.config.Sessions.Keys {
		b, err := configs.KeyBytes(k)
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, credential.NewSecret(string(b)))
	}
	sealer, err := pending.NewSealer(keys)
	return methods, sealer, err
}

// close ends the idle connections of a snapshot that is no longer used.
func (n *snapshot) close() {
	n.proxy.Close()
	for _, p := range n.providers {
		p.Close()
	}
}

// count looks up the counters of every route and frontend.
func (n *snapshot) count(m *metrics.Metrics) {
	n.routes = make([]*metrics.Route, len(n.table.Routes))
	for _, f := range n.table.Frontends {
		n.frontends = append(n.frontends, m.Route(f.Name, "/bff/"))
		for _, r := range f.Routes {
			n.routes[r.Index] = m.Route(f.Name, r.Config.Path)
		}
	}
}
