package configs

import (
	"net/http"
	"strings"

	"coatcheck/upstream/mapping"
)

// derive fills in what follows from the rest, so that no other room needs an
// opinion of its own about a default.
func derive(c *Config) {
	folder := c.Source.folder
	if c.TLS != nil {
		resolveAll(folder, &c.TLS.Cert, &c.TLS.Key)
	}
	for name, u := range c.Upstreams {
		u.URL = strings.TrimRight(u.URL, "/")
		resolveAll(folder, &u.CA, &u.ClientCert, &u.ClientKey)
		u.derive(c.Source, child("upstreams", name))
	}
	for name, p := range c.Providers {
		p.derive(c.Source, child("providers", name), folder)
	}
	for name, f := range c.Frontends {
		f.derive(name, folder)
	}
	for _, caller := range c.Callers {
		caller.derive()
	}
	c.deriveSessions()
}

func resolveAll(folder string, paths ...*string) {
	for _, path := range paths {
		*path = resolve(folder, *path)
	}
}

func (f *Frontend) derive(name, folder string) {
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

func (u *Upstream) derive(source *Source, path string) {
	if !source.Has(path + ".streams_per_session") {
		u.StreamsPerSession = min(u.StreamsPerSession, max(1, u.MaxConnections/4))
	}
	if u.Login != nil {
		u.Login.derive()
	}
	for _, w := range u.ways() {
		w.derive(u.Login)
	}
	for _, a := range u.Accounts {
		if a.Login != nil {
			a.Login.derive()
		}
	}
	if u.Refresh != nil {
		u.deriveRefresh()
	}
	if u.Logout != nil {
		deriveMethod(u.Logout.Request, http.MethodPost)
	}
	if u.Verify != nil {
		deriveMethod(u.Verify.Request, http.MethodGet)
		if len(u.Verify.Answers) > 0 && !source.Has(path+".verify.rejected") {
			u.Verify.Rejected = nil
		}
	}
}

// SendHeaders are the headers that carry the person on calls. named is false
// where the file gives none and they are the default, Authorization: Bearer
// {access_token} (RFC 6750 §2.1); only then a token_type other than bearer is refused.
func (u *Upstream) SendHeaders() (headers map[string]mapping.Template, named bool) {
	if u.Send != nil && u.Send.Headers != nil {
		return u.Send.Headers, true
	}
	return mapping.Bearer(), false
}

// SubjectPointer is what names the person, below At. named is false where the
// file gives none and it is the default, /sub of a JWT (RFC 7519 §4.1.2) and /id
// elsewhere: then an answer without it is no error, the person just has no name.
func (u *User) SubjectPointer() (pointer string, named bool) {
	switch {
	case u.Subject != "":
		return u.Subject, true
	case u.From == "jwt":
		return "/sub", false
	}
	return "/id", false
}

func (l *Login) derive() {
	deriveMethod(l.Request, http.MethodPost)
	if l.Rejected == nil && l.Answers == nil {
		l.Rejected = []int{400, 401, 403, 422}
	}
	for _, s := range l.Steps {
		s.derive(l)
	}
}

// derive gives a step what it does not name: the sign-in's own.
func (s *Step) derive(l *Login) {
	deriveMethod(s.Request, http.MethodPost)
	if s.Rejected == nil {
		s.Rejected = l.Rejected
	}
	if s.Answers == nil {
		s.Answers = &l.Answers
	}
	if s.Credential == nil {
		s.Credential = l.Credential
	}
}

// derive gives a way what it does not name: the sign-in's own. The steps of its own take
// after the way.
func (w *Way) derive(l *Login) {
	deriveMethod(w.Request, http.MethodPost)
	if l == nil {
		l = &Login{}
	}
	if w.Rejected == nil {
		w.Rejected = l.Rejected
	}
	if w.Answers == nil {
		w.Answers = &l.Answers
	}
	if w.Credential == nil {
		w.Credential = l.Credential
	}
	if w.User == nil {
		w.User = l.User
	}
	if w.Steps == nil {
		w.Steps = l.Steps
		return
	}
	for _, s := range w.Steps {
		s.derive(w.AsLogin())
	}
}

// AsLogin is the way as the sign-in that it is like.
func (w *Way) AsLogin() *Login {
	l := &Login{Timeout: w.Timeout, Request: w.Request, Rejected: w.Rejected, Credential: w.Credential, User: w.User, Steps: w.Steps}
	if w.Answers != nil {
		l.Answers = *w.Answers
	}
	return l
}

// ways are the upstream's ways and exchanges, by the key path below the upstream.
func (u *Upstream) ways() map[string]*Way {
	all := map[string]*Way{}
	for name, w := range u.Ways {
		all[child("ways", name)] = w
	}
	for name, w := range u.Exchanges {
		all[child("exchanges", name)] = w
	}
	return all
}

// deriveRefresh: only what clearly means "this refresh token is dead" may end a
// session, so the default asks for the status and the word (RFC 6749 §5.2).
func (u *Upstream) deriveRefresh() {
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
