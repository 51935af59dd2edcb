package upstreams

import (
	"maps"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/keypath"
	"coatcheck/upstream/mapping"
)

// longBefore is how early a token that renews itself should be renewed at least.
const longBefore = 5 * time.Minute

// login checks how people sign in at an upstream.
func (ck signInCheck) login(path, name string, u *configs.Upstream) {
	at := child(path, "login")
	l := u.Login
	ck.request(child(at, "request"), l.Request, ck.signInNames(name, u))
	ck.answers(at, l.Answers, u, "login")
	ck.rejected(at, l.Rejected)
	ck.credential(child(at, "credential"), l.Credential, true)
	for value := range l.Credential {
		if mapping.IsBuiltIn(value) || ck.isField(u, value) {
			ck.Refuse(child(at, "credential", value), "this name is already a sign-in field or built in, so {"+value+"} would have two meanings", "")
		}
	}
	ck.user(child(at, "user"), l.User, u)
	first := ck.signInNames(name, u)
	ck.named(child(at, "credential"), l.Credential, first)
	for _, step := range slices.Sorted(maps.Keys(l.Steps)) {
		ck.step(child(at, "steps", step), step, first, u)
	}
	if !ck.anyoneSignsIn(u) && !u.SignsInByFields() {
		ck.Warn(at, "no frontend signs people in here", "frontends.*.login.upstream: "+name)
	}
}

// isField reports whether a frontend that signs in at u has a field of this name.
func (ck signInCheck) isField(u *configs.Upstream, name string) bool {
	return slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool {
		return ck.Config.Upstreams[f.Login.Upstream] == u && slices.Contains(f.Login.FieldNames(), name)
	})
}

// scope is the names that a request may use, and how to speak of them.
type scope struct {
	known    []string
	hidden   bool     // some of them came out of variables, so nobody lists them
	optional []string // those that may be missing, so that no path can hold them
	open     bool     // any name may be right: nobody signs in here yet
	hint     string
}

// signInNames are the fields of every frontend that signs in at u. A field that
// only some of them have is known to none: at the others the request could not be made.
func (ck signInCheck) signInNames(name string, u *configs.Upstream) scope {
	s := scope{open: true, hint: "the fields of every frontend that signs in here"}
	for frontend, f := range ck.Config.Frontends {
		if ck.Config.Upstreams[f.Login.Upstream] != u {
			continue
		}
		for i := range f.Login.Fields {
			s.hidden = s.hidden || ck.Config.Source.FromVariable(item(child("frontends", frontend, "login", "fields"), i))
		}
		names := f.Login.FieldNames()
		if len(names) == 0 {
			return scope{open: true} // they could not be read
		}
		if s.open {
			s.known, s.open = names, false
		}
		s.known = slices.DeleteFunc(slices.Clone(s.known), func(n string) bool { return !slices.Contains(names, n) })
		for _, n := range names {
			if f.Login.Optional(n) {
				s.optional = append(s.optional, n)
			}
		}
	}
	if len(s.known) > 0 && !s.hidden {
		s.hint = "known: " + strings.Join(append(slices.Clone(s.known), mapping.BuiltIn()...), ", ") + "; others come from frontends.*.login.fields"
	}
	return s
}

// valueNames are the names known after a sign-in.
func valueNames(u *configs.Upstream) scope {
	return scope{known: u.Values(), hint: "known: " + strings.Join(append(u.Values(), mapping.BuiltIn()...), ", ")}
}

// user checks where the person is described. u is whose values a request knows.
func (ck signInCheck) user(path string, who *configs.User, u *configs.Upstream) {
	if who == nil {
		ck.Warn(keypath.Parent(path), "without user, sessions cannot be listed or ended by person", "user: {from: response, at: /user}")
		return
	}
	ck.Pointer(child(path, "at"), who.At)
	if who.Subject != "" {
		ck.Pointer(child(path, "subject"), who.Subject)
	}
	if who.Token != nil && who.Token.Name != "" {
		ck.Refuse(child(path, "token"), "the token of the person stands in the answer", "/id_token")
	} else if who.Token != nil {
		ck.place(child(path, "token"), *who.Token)
	}
	switch {
	case who.From == "request" && who.Path == "":
		ck.Refuse(path, "from: request needs a path", "path: /me")
	case who.From == "request":
		ck.requestPath(child(path, "path"), who.Path, valueNames(u))
	case who.Path != "":
		ck.Refuse(child(path, "path"), "a path is for from: request", "from: request")
	}
	if who.From != "jwt" && who.Token != nil {
		ck.Refuse(child(path, "token"), "a token is for from: jwt", "from: jwt")
	}
}

// afterwards checks what happens to a credential later: refresh, logout, verify.
func (ck signInCheck) afterwards(path string, u *configs.Upstream) {
	if u.Login == nil && (u.Refresh != nil || u.Logout != nil || u.Verify != nil) {
		ck.Warn(path, "without login here, refresh, logout and verify are never used", "they belong to the upstream that signs people in")
	}
	if u.Refresh != nil {
		ck.refresh(child(path, "refresh"), u)
	}
	if u.Logout != nil {
		ck.request(child(path, "logout", "request"), u.Logout.Request, valueNames(u))
	}
	if u.Verify != nil {
		at := child(path, "verify")
		ck.request(child(at, "request"), u.Verify.Request, valueNames(u))
		ck.answers(at, u.Verify.Answers, u, "verify")
		ck.rejected(at, u.Verify.Rejected)
		if len(u.Verify.After) == 0 {
			ck.Refuse(child(at, "after"), "empty list: the API would never be asked", "[401]")
		}
	}
}

func (ck signInCheck) refresh(path string, u *configs.Upstream) {
	r := u.Refresh
	ck.request(child(path, "request"), r.Request, valueNames(u))
	ck.answers(path, r.Answers, u, "refresh")
	ck.rejected(path, r.Rejected)
	if ck.Config.Source.Has(child(path, "credential")) {
		ck.credential(child(path, "credential"), r.Credential, true)
		ck.named(child(path, "credential"), r.Credential, scope{hint: "a renewal takes what its answer holds"})
	}
	if ck.Config.Source.Has(child(path, "user")) {
		ck.user(child(path, "user"), r.User, u)
	}
	if r.Request != nil && !slices.Contains(r.Request.Names(), credential.RefreshToken) && r.Before < longBefore {
		ck.Warn(child(path, "before"), "this token renews itself, so it must be renewed while it lasts: a pause longer than before ends the session", "before: 10m or more, but less than the token lasts")
	}
}
