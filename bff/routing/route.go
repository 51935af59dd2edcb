package routing

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/configs"
	"coatcheck/upstream"
)

// SessionNeed is what a route has to do with sessions.
type SessionNeed int

// The zero value is the strictest.
const (
	SessionRequired SessionNeed = iota
	SessionOptional
	SessionNone
)

// Route is a [configs.Route] made ready to be served. It never changes.
type Route struct {
	// Index is the route's place in [Table.Routes], for tables beside this one.
	Index int
	// Config is what the route was made of.
	Config *configs.Route
	// Prefix that the route takes, or the one path, with the frontend's base path.
	Prefix string
	// Exact reports that it takes this one path, and none below it.
	Exact bool
	// Rewrite stands in place of Prefix on the way to the API.
	Rewrite string
	// Upstream is its name; empty for a development server.
	Upstream string
	// URL of the upstream: Base is its path without a "/" at the end, Origin its scheme
	// and authority. Host is what it is called by: the authority, or upstreams.NAME.host.
	Base, Host, Origin string
	// ForwardedPrefix is the value of X-Forwarded-Prefix; empty: it is not sent.
	ForwardedPrefix string
	// SendToken reports that the API gets the person's token; Session says whether there
	// must be a person.
	SendToken bool
	Session   SessionNeed
	// Programs that may call here; nil: none.
	Programs *Programs
	// Secret are the fields, in lower case, and Cut the query parameters that hold what
	// proves a caller by itself. They never go to the API.
	Secret []string
	Cut    apikey.Places
	// Allow is the value of Allow: the methods.
	Allow string
	// closed reports whether a path, as it would go out below Base, belongs to the
	// upstream's sign-in or is private.
	closed func(path []byte) bool
}

// DevServer reports whether the route leads to the development server of the
// frontend's application (spa.proxy).
func (r *Route) DevServer() bool { return r.Upstream == "" }

func (t *Table) addRoutes(f *Frontend, o Options) error {
	for _, config := range f.Config.Routes {
		r, err := newRoute(f, config, t.config.Upstreams[config.Upstream].URL, t.config.Upstreams[config.Upstream].Host)
		if err != nil {
			return err
		}
		r.addPrograms(t.config)
		r.Upstream, r.closed = config.Upstream, o.Closed(config.Upstream)
		t.addRoute(f, r)
	}
	if spa := f.Config.SPA; spa != nil && spa.Proxy != "" && !f.HasPages {
		r, err := newRoute(f, devServerRoute(), spa.Proxy, "")
		if err != nil {
			return fmt.Errorf("frontends.%s.spa.proxy: %w", f.Name, err)
		}
		r.closed = func([]byte) bool { return false } // it signs nobody in
		t.addRoute(f, r)
	}
	slices.SortStableFunc(f.Routes, func(a, b *Route) int { return cmp.Compare(len(b.Prefix), len(a.Prefix)) })
	f.index = newRouteIndex(f.Routes)
	return nil
}

func (t *Table) addRoute(f *Frontend, r *Route) {
	r.Index = len(t.Routes)
	t.Routes = append(t.Routes, r)
	f.Routes = append(f.Routes, r)
	t.encodedSlash = t.encodedSlash || r.passesSlash()
}

// newRoute makes a route to address, which is called by the name host; empty: by its own.
func newRoute(f *Frontend, config *configs.Route, address, host string) (*Route, error) {
	at, err := upstream.ParseURL(address)
	if err != nil {
		return nil, err
	}
	r := &Route{Config: config, Prefix: f.Base + config.Path, Exact: config.IsExact(), Rewrite: config.Path,
		Base: at.Path, Host: at.Host, Origin: at.Origin(),
		SendToken: config.SendToken != nil && *config.SendToken, Allow: strings.Join(config.Methods, ", ")}
	if config.Rewrite != nil {
		r.Rewrite = *config.Rewrite
	}
	if host != "" {
		r.Host = host
	}
	r.ForwardedPrefix = forwardedPrefix(r.Prefix, r.Base+r.Rewrite)
	switch config.Session {
	case "optional":
		r.Session = SessionOptional
	case "none":
		r.Session = SessionNone
	}
	return r, nil
}

// devServerPatience bounds calls to a development server, which may compile first.
const devServerPatience = 2 * time.Minute

// devServerRoute is the route behind all others that leads to the development server,
// hot reload's WebSocket included. It carries no session and no token, and what it
// answers are the application's own files.
func devServerRoute() *configs.Route {
	root := "/"
	return &configs.Route{Path: root, Rewrite: &root, Methods: []string{"GET", "HEAD", "POST"}, Session: "none",
		WebSocket: true, EncodedSlash: "refuse", HeaderTimeout: devServerPatience, IdleTimeout: time.Hour}
}

// route finds the longest route that holds path.
func (f *Frontend) route(path []byte) *Route { return f.index.find(path) }

// takesStrangers reports whether calls come from elsewhere than the frontend's pages.
func (r *Route) takesStrangers() bool { return !r.Config.Guard || r.Programs != nil }

func (r *Route) passesSlash() bool { return r.Config.EncodedSlash == "pass" }

// appendPath appends the path below the upstream's base: the prefix replaced.
func (r *Route) appendPath(b, path []byte) []byte {
	return append(append(b, r.Rewrite...), path[len(r.Prefix):]...)
}

// isDoubleSlash reports whether the path on the wire would begin with "//", which
// reads as a host (RFC 3986 §4.2).
func (r *Route) isDoubleSlash(path []byte) bool {
	return r.Base == "" && bytes.HasPrefix(path, []byte("//"))
}
