package server

import (
	"bytes"
	"cmp"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/metrics"
	"coatcheck/configs"
	"coatcheck/upstream"
)

// snapshot is a configuration made ready to be served. It never changes; a reload
// makes another and swaps them.
type snapshot struct {
	config       *configs.Config
	hosts        map[string]*host
	trusted      []netip.Prefix
	frontends    map[string]*frontend
	upstreams    *upstream.Set
	metrics      *metrics.Metrics
	carriers     map[string]*upstream.Carrier
	encodedSlash bool // some route lets %2F pass
}

// host is a name under which calls come, and the frontends that may be meant.
type host struct {
	frontends []*frontend
	// otherOrigins: pages of another host call here, so answers differ by Origin.
	otherOrigins bool
}

// frontend is a [configs.Frontend] made ready.
type frontend struct {
	name    string
	config  *configs.Frontend
	base    string
	hosts   []string
	origins []string
	hsts    string // value of Strict-Transport-Security, or empty
	scheme  string // of the origins, as the API is told
	routes  []*route
	own     *metrics.Route // of /bff and of pages
	pages   *Pages         // nil: the application is served elsewhere
	// signIn is the upstream that signs people in here.
	signIn *upstream.Upstream
	// shared: its pages live at another host than the one they call.
	shared                      bool
	allowHeaders, exposeHeaders string
	cookieMaxAge                time.Duration
}

// route is a [configs.Route] made ready.
type route struct {
	config    *configs.Route
	prefix    string // with the frontend's base path
	rewrite   string // what stands in place of prefix
	up        *upstream.Upstream
	carrier   *upstream.Carrier
	base      string // the upstream's own base path, without a "/" at the end
	host      string // the upstream's Host
	origin    string // the upstream's scheme://host, for Location
	sendToken bool
	streams   int // most of one session at once
	methods   []string
	allow     string
	session   sessionNeed
	counts    *metrics.Route
	request   ruleset // names that never go to the API
	answer    ruleset // names that never go to the browser
}

type sessionNeed int

const (
	sessionRequired sessionNeed = iota
	sessionOptional
	sessionNone
)

func newSnapshot(c *configs.Config, ups *upstream.Set, pages map[string]*Pages, counts *metrics.Metrics, log *slog.Logger) (*snapshot, error) {
	s := &snapshot{config: c, hosts: map[string]*host{}, trusted: c.TrustedProxies,
		frontends: map[string]*frontend{}, upstreams: ups, metrics: counts, carriers: map[string]*upstream.Carrier{}}
	if err := s.fill(pages, log); err != nil {
		for _, carrier := range s.carriers {
			carrier.Close()
		}
		return nil, err
	}
	return s, nil
}

// fill makes the ways to the APIs and the frontends.
func (s *snapshot) fill(pages map[string]*Pages, log *slog.Logger) error {
	for name := range s.config.Upstreams {
		f, err := upstream.NewCarrier(s.upstreams.Get(name).ForwarderOptions(), func(open bool) {
			log.Warn("circuit breaker", "upstream", name, "open", open)
		})
		if err != nil {
			return err
		}
		s.carriers[name] = f
	}
	for name, config := range s.config.Frontends {
		f, err := s.newFrontend(name, config)
		if err != nil {
			return err
		}
		if pages[name] != nil {
			f.pages = pages[name]
		}
		s.frontends[name] = f
		for _, name := range f.hosts {
			if s.hosts[name] == nil {
				s.hosts[name] = &host{}
			}
			h := s.hosts[name]
			h.frontends = append(h.frontends, f)
			h.otherOrigins = h.otherOrigins || servesOther(f, name)
		}
		s.encodedSlash = s.encodedSlash || slices.ContainsFunc(f.routes, func(r *route) bool { return r.config.EncodedSlash == "pass" })
	}
	for _, h := range s.hosts { // an order that does not depend on the map's
		slices.SortFunc(h.frontends, func(a, b *frontend) int { return strings.Compare(a.name, b.name) })
	}
	return nil
}

// servesOther reports whether pages of f live at another host than the one they
// call. Without a host of its own each of its origins calls itself.
func servesOther(f *frontend, host string) bool {
	return f.config.Host != "" && slices.ContainsFunc(f.origins, func(o string) bool { return originHost(o) != host })
}

func (s *snapshot) newFrontend(name string, config *configs.Frontend) (*frontend, error) {
	f := &frontend{name: name, config: config, base: strings.TrimSuffix(config.BasePath, "/"),
		hosts: config.Hosts(), origins: config.Origins, scheme: config.Scheme(), signIn: s.upstreams.Get(config.Login.Upstream)}
	if config.IsHTTPS() && config.HSTS > 0 {
		f.hsts = "max-age=" + seconds(config.HSTS)
	}
	f.own = s.metrics.Route(f.name, "/bff/")
	f.allowHeaders = join("Content-Type, X-CSRF, X-XSRF-TOKEN, Last-Event-ID", config.CORS.AllowHeaders)
	f.exposeHeaders = join("Coatcheck-Error, Coatcheck-Idle-Expires-In, X-Request-Id, Retry-After, Location, Content-Disposition", config.CORS.ExposeHeaders)
	for _, name := range f.hosts {
		f.shared = f.shared || servesOther(f, name)
	}
	if config.Cookie.Persistent {
		f.cookieMaxAge = s.config.Sessions.MaxLifetime
	}
	for _, rc := range config.Routes {
		r, err := s.newRoute(f, rc)
		if err != nil {
			return nil, err
		}
		f.routes = append(f.routes, r)
	}
	if err := s.addSPA(f, config.SPA); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.routes, func(a, b *route) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return f, nil
}

func (s *snapshot) newRoute(f *frontend, rc *configs.Route) (*route, error) {
	return s.newRouteTo(f, rc, s.upstreams.Get(rc.Upstream), s.carriers[rc.Upstream], s.config.Upstreams[rc.Upstream].URL)
}

func (s *snapshot) newRouteTo(f *frontend, rc *configs.Route, up *upstream.Upstream, carrier *upstream.Carrier, address string) (*route, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	r := &route{config: rc, prefix: f.base + rc.Path, rewrite: rc.Path, up: up, carrier: carrier,
		base: strings.TrimSuffix(u.EscapedPath(), "/"), host: u.Host, origin: u.Scheme + "://" + u.Host,
		sendToken: rc.SendToken != nil && *rc.SendToken, methods: rc.Methods, allow: strings.Join(rc.Methods, ", ")}
	if u := s.config.Upstreams[rc.Upstream]; u != nil {
		r.streams = u.StreamsPerSession
	}
	r.counts = s.metrics.Route(f.name, rc.Path)
	if rc.Rewrite != nil {
		r.rewrite = *rc.Rewrite
	}
	switch rc.Session {
	case "optional":
		r.session = sessionOptional
	case "none":
		r.session = sessionNone
	}
	r.request = requestRules(r.up)
	r.answer = answerRules(r.up)
	return r, nil
}

// route finds the longest route that holds path.
func (f *frontend) route(path []byte) *route {
	for _, r := range f.routes {
		if len(path) >= len(r.prefix) && string(path[:len(r.prefix)]) == r.prefix {
			return r
		}
	}
	return nil
}

func (f *frontend) listsOrigin(origin []byte) bool {
	for _, o := range f.origins {
		if string(origin) == o {
			return true
		}
	}
	return false
}

// pagesLiveAt reports whether a page of f may live at the host that is called.
func (f *frontend) pagesLiveAt(host []byte) bool {
	for _, o := range f.origins {
		if originHost(o) == string(host) {
			return true
		}
	}
	return false
}

// choose finds the one frontend that a call is for: by its Origin; without one, and
// without Sec-Fetch-Site, by X-Frontend; among several left by the longest base path, and
// then by an unguarded route.
func (h *host) choose(x *exchange) (*frontend, *Problem) {
	_, named := x.head.Get("x-frontend")
	if len(h.frontends) == 1 && x.origins == 0 && named == 0 {
		return h.frontends[0], nil // the usual case, without a list
	}
	var room [8]*frontend
	left := append(room[:0], h.frontends...)
	if x.origins > 0 {
		left = keep(left, func(f *frontend) bool { return x.origins == 1 && f.listsOrigin(x.origin) })
		if len(left) == 0 {
			return nil, errOrigin
		}
	} else if _, fetch := x.head.Get("sec-fetch-site"); fetch == 0 {
		if name, _ := x.head.Get("x-frontend"); named > 0 {
			left = keep(left, func(f *frontend) bool { return named == 1 && string(name) == f.name })
		}
	}
	if len(left) > 1 {
		left = byBasePath(left, x.target.path)
	}
	if len(left) > 1 {
		left = keep(left, func(f *frontend) bool { r := f.route(x.target.path); return r != nil && !r.config.Guard })
	}
	if len(left) != 1 {
		return nil, errUndetermined
	}
	return left[0], nil
}

// byBasePath keeps those with the longest base path that holds path; where none
// has one that does, those without.
func byBasePath(all []*frontend, path []byte) []*frontend {
	longest := 0
	for _, f := range all {
		if under(path, f.base) {
			longest = max(longest, len(f.base))
		}
	}
	return keep(all, func(f *frontend) bool { return len(f.base) == longest && under(path, f.base) })
}

func keep(all []*frontend, f func(*frontend) bool) []*frontend {
	n := 0
	for _, x := range all {
		if f(x) {
			all[n] = x
			n++
		}
	}
	return all[:n]
}

// hostName is the lower case of a Host without its port and one dot at the end,
// written into buf.
func hostName(buf, host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i > bytes.LastIndexByte(host, ']') {
		host = host[:i]
	}
	host = bytes.TrimSuffix(host, []byte{'.'})
	for _, c := range host {
		buf = append(buf, http1.Lower(c))
	}
	return buf
}

// originHost is the host of a serialised origin, without its port.
func originHost(origin string) string {
	_, rest, _ := strings.Cut(origin, "://")
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		rest = rest[:i]
	}
	return rest
}

func join(first string, more []string) string {
	return strings.Join(append([]string{first}, more...), ", ")
}
