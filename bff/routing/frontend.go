package routing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// Host is a name under which calls come, and the frontends that may be meant.
type Host struct {
	Frontends []*Frontend // those that may be meant
	shared    *shared     // nil: there is one frontend
	// otherOrigins: pages of another host call here, so answers differ by Origin.
	otherOrigins bool
	hsts         string // see [Decision.HSTS]
}

// Frontend is a [configs.Frontend] made ready to be served. It never changes.
type Frontend struct {
	// Index is the frontend's place in [Table.Frontends], for tables beside this one.
	Index int
	// Name is the frontend's key in the configuration, Config what stands under it.
	Name   string
	Config *configs.Frontend
	// Base is the base path without a "/" at its end.
	Base string
	// Hosts are the names that calls come to.
	Hosts []string
	// Origins that are listed one by one, and Patterns of others.
	Origins  []string
	Patterns []rule.Pattern
	// Scheme of the origins: https or http.
	Scheme string
	// HSTS is the value of Strict-Transport-Security, or empty.
	HSTS string
	// Shared reports that its pages live at another host than the one they call.
	Shared bool
	// HasPages reports that Coatcheck serves the application's files.
	HasPages bool
	// Routes of this frontend.
	Routes []*Route
	index  routeIndex
	// ExposeHeaders is the value of Access-Control-Expose-Headers.
	ExposeHeaders string
	allowHeaders  string
	// CookieMaxAge is how long a session cookie outlives the browser, where it does.
	CookieMaxAge time.Duration
	// BindsTokens reports that every API that gets the token of a person takes tokens
	// that are bound to a key (RFC 9449).
	BindsTokens bool
}

// maxAge is a value of Strict-Transport-Security (RFC 6797 §6.1.1).
func maxAge(d time.Duration) string { return "max-age=" + strconv.FormatInt(int64(d/time.Second), 10) }

func (t *Table) addFrontend(name string, config *configs.Frontend, o Options) error {
	f := &Frontend{Index: len(t.Frontends), Name: name, Config: config, Base: strings.TrimSuffix(config.BasePath, "/"),
		Hosts: config.Hosts(), Origins: config.Exact(), Patterns: config.Patterns(), Scheme: config.Scheme(),
		CookieMaxAge: t.config.Sessions.MaxLifetime,
		HasPages:     config.SPA != nil && config.SPA.Dir != "" || o.HasPages != nil && o.HasPages(name)}
	f.BindsTokens = t.config.BindsTokens(config)
	if config.IsHTTPS() && config.HSTS > 0 {
		f.HSTS = maxAge(config.HSTS)
	}
	f.allowHeaders = join("Content-Type, X-CSRF, X-XSRF-TOKEN, Last-Event-ID", config.CORS.AllowHeaders)
	exposed := "Coatcheck-Error, Coatcheck-Idle-Expires-In, X-Request-Id, Retry-After, Location, Content-Disposition, Link"
	if len(config.Login.Provider) > 0 {
		exposed += ", Coatcheck-Login"
	}
	f.ExposeHeaders = join(exposed, config.CORS.ExposeHeaders)
	for _, host := range f.Hosts {
		other := servesOther(f, host)
		f.Shared = f.Shared || other
		t.host(host).add(f, other)
	}
	t.Frontends = append(t.Frontends, f)
	return t.addRoutes(f, o)
}

// servesOther reports whether pages of f live at another host than the one they
// call. Without a host of its own each of its origins calls itself.
func servesOther(f *Frontend, host string) bool {
	return f.Config.Host != "" && (len(f.Patterns) > 0 || slices.ContainsFunc(f.Origins, func(o string) bool { return OriginHost(o) != host }))
}

// add keeps the frontends of a host in an order that does not depend on a map's.
func (h *Host) add(f *Frontend, other bool) {
	at, _ := slices.BinarySearchFunc(h.Frontends, f, func(a, b *Frontend) int { return cmp.Compare(a.Name, b.Name) })
	h.Frontends = slices.Insert(h.Frontends, at, f)
	h.otherOrigins = h.otherOrigins || other
}

// ListsOrigin reports whether pages of this origin belong to the frontend and may call
// host. Origins are compared byte for byte.
func (f *Frontend) ListsOrigin(origin, host []byte) bool {
	return f.listsExactly(origin) || f.listsByPattern(origin, host)
}

// listsByPattern reports whether a pattern means this origin. Where calls come to the
// origins' own hosts, a page calls its own only: those of a pattern are strangers to each
// other. Where they have a host of their own, that is no page's.
func (f *Frontend) listsByPattern(origin, host []byte) bool {
	for _, p := range f.Patterns {
		if p.HoldsOrigin(origin) {
			return (f.Config.Host == "") == (OriginHost(string(origin)) == string(host))
		}
	}
	return false
}

// PatternOf is the pattern by which an origin may call host; "" where it is listed by
// itself, or not at all.
func (f *Frontend) PatternOf(origin, host []byte) string {
	for _, p := range f.Patterns {
		if p.HoldsOrigin(origin) && !f.listsExactly(origin) && f.listsByPattern(origin, host) {
			return p.String()
		}
	}
	return ""
}

func (f *Frontend) listsExactly(origin []byte) bool {
	for _, o := range f.Origins {
		if string(origin) == o {
			return true
		}
	}
	return false
}

// pagesLiveAt reports whether a page of f may live at the host that is called.
func (f *Frontend) pagesLiveAt(host []byte) bool {
	for _, o := range f.Origins {
		if OriginHost(o) == string(host) {
			return true
		}
	}
	return f.patternAt(host) != nil
}

// patternAt is the pattern by which pages live at a host that is called; nil: none.
func (f *Frontend) patternAt(host []byte) *rule.Pattern {
	for i := range f.Patterns {
		if f.Config.Host == "" && f.Patterns[i].Holds(host) {
			return &f.Patterns[i]
		}
	}
	return nil
}

// Home is the address of the application's pages, of those at host if there are some;
// empty: a door for programs has none.
func (f *Frontend) Home(host []byte) string {
	if p := f.patternAt(host); p != nil {
		return strings.TrimSuffix(p.Scheme+"://"+string(host)+":"+p.Port, ":") + f.Base + "/"
	}
	if len(f.Origins) == 0 {
		return ""
	}
	home := f.Origins[0]
	for _, o := range f.Origins {
		if OriginHost(o) == string(host) {
			home = o
			break
		}
	}
	return home + f.Base + "/"
}

func join(first string, more []string) string {
	return strings.Join(append([]string{first}, more...), ", ")
}
