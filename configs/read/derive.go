package read

import (
	"net/http"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/keypath"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// derive fills in what follows from the rest, so that no other room needs an
// opinion of its own about a default.
func derive(c *configs.Config, folder string) {
	if c.TLS != nil {
		resolveAll(folder, &c.TLS.Cert, &c.TLS.Key)
	}
	for name, u := range c.Upstreams {
		u.URL = strings.TrimRight(u.URL, "/")
		resolveAll(folder, &u.CA, &u.ClientCert, &u.ClientKey)
		deriveUpstream(u, c.Source, keypath.Child("upstreams", name))
	}
	for name, p := range c.Providers {
		deriveProvider(p, c.Source, keypath.Child("providers", name), folder)
	}
	for name, f := range c.Frontends {
		deriveFrontend(f, name, folder)
		deriveHost(f, c)
	}
	for _, caller := range c.Callers {
		deriveCaller(caller)
	}
	deriveSessions(c)
}

func resolveAll(folder string, paths ...*string) {
	for _, path := range paths {
		*path = resolve(folder, *path)
	}
}

func deriveFrontend(f *configs.Frontend, name, folder string) {
	if f.Cookie.Name == "" && !f.IsDoor() {
		f.Cookie.Name = "__Host-Http-" + name
	}
	if f.SPA != nil {
		resolveAll(folder, &f.SPA.Dir)
	}
	for _, r := range f.Routes {
		if r.SendToken == nil {
			own := r.Upstream == f.Login.Upstream && r.Session != "none"
			r.SendToken = &own
		}
	}
}

// deriveHost gives a shared host of one's own machine the listener's port, where the file
// gives none: browsers cannot reach it without, and a provider would send them astray.
func deriveHost(f *configs.Frontend, c *configs.Config) {
	_, listener := rule.SplitPort(c.Listen)
	host, port := rule.SplitPort(f.Host)
	isOrigin := slices.ContainsFunc(f.Origins, func(o string) bool { return rule.OriginHost(o) == host })
	if port != "" || c.TLS != nil || isOrigin || f.IsDoor() || f.IsHTTPS() || !rule.IsLoopback(host) || !rule.IsPort(listener) || listener == "80" {
		return
	}
	f.Host = host + ":" + listener
}

func deriveUpstream(u *configs.Upstream, source *configs.Source, path string) {
	if !source.Has(path + ".streams_per_session") {
		u.StreamsPerSession = min(u.StreamsPerSession, max(1, u.MaxConnections/4))
	}
	if u.Login != nil {
		deriveLogin(u.Login)
	}
	for _, w := range u.AllWays() {
		deriveWay(w, u.Login)
	}
	for _, a := range u.Accounts {
		if a.Login != nil {
			deriveLogin(a.Login)
		}
	}
	if u.Refresh != nil {
		deriveRefresh(u)
	}
	if u.Logout != nil {
		deriveMethod(u.Logout.Request, http.MethodPost)
	}
	if u.Verify != nil {
		deriveMethod(u.Verify.Request, http.MethodGet)
		u.Verify.Presumed = !source.Has(path + ".verify.rejected")
		if len(u.Verify.Answers) > 0 && u.Verify.Presumed {
			u.Verify.Rejected = nil
		}
	}
}

func deriveLogin(l *configs.Login) {
	deriveMethod(l.Request, http.MethodPost)
	if l.Rejected == nil && l.Answers == nil {
		l.Rejected, l.Presumed = []int{400, 401, 403, 422}, true
	}
	for _, s := range l.Steps {
		deriveStep(s, l)
	}
}

// deriveStep gives a step what it does not name: the sign-in's own.
func deriveStep(s *configs.Step, l *configs.Login) {
	deriveMethod(s.Request, http.MethodPost)
	if s.Rejected == nil {
		s.Rejected, s.Presumed = l.Rejected, l.Presumed
	}
	if s.Answers == nil {
		s.Answers = &l.Answers
	}
	if s.Credential == nil {
		s.Credential = l.Credential
	}
}

// deriveRefresh: only what clearly means "this refresh token is dead" may end a
// session, so the default asks for the status and the word (RFC 6749 §5.2).
func deriveRefresh(u *configs.Upstream) {
	r := u.Refresh
	deriveMethod(r.Request, http.MethodPost)
	if r.Answers == nil && r.Rejected == nil {
		for _, status := range []int{400, 401} {
			r.Answers = append(r.Answers, mapping.Rule{Status: status, At: &mapping.Place{Pointer: "/error", Unit: "s"},
				Is: &mapping.Match{Values: []any{"invalid_grant"}}, Means: mapping.SessionExpired})
		}
	}
	if r.Credential == nil && u.Login != nil {
		r.Credential = u.Login.Credential
	}
	if r.User == nil && u.Login != nil && u.Login.User != nil && u.Login.User.From != "request" {
		r.User = u.Login.User
	}
}

func deriveMethod(r *mapping.Request, method string) {
	if r != nil && r.Method == "" {
		r.Method = method
	}
}

// deriveProvider fills in what follows from the rest of a provider.
func deriveProvider(p *configs.Provider, source *configs.Source, path, folder string) {
	resolveAll(folder, &p.CA, &p.ClientKey, &p.ClientCert, &p.ClientAssertion.Path)
	if !p.HasIssuer() && !source.Has(keypath.Child(path, "scopes")) {
		p.Scopes = nil
	}
}
