package server

import (
	"coatcheck/bff/account"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
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
	routes    []*metrics.Route // counters, by route
	frontends []*metrics.Route // counters of /bff and of pages, by frontend
}

func (s *Server) newSnapshot(c *configs.Config, ups *signin.Set) (*snapshot, error) {
	table, err := routing.New(c, routing.Options{Closed: ups.Closed, HasPages: func(name string) bool { return s.builtIn[name] != nil }})
	if err != nil {
		return nil, err
	}
	events := call.Events{Log: s.log, Metrics: s.metrics}
	who := auth.New(s.manager, table, ups, events, s.programs)
	n := &snapshot{config: c, table: table}
	n.account = account.New(account.Options{Manager: s.manager, Auth: who, Events: events, Client: s.client, Background: &s.background})
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
