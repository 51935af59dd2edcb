package check

import (
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// signIn checks how people sign in at a frontend.
func (ck frontendCheck) signIn(path string, f *configs.Frontend) {
	at := child(path, "login")
	u := ck.KnownUpstream(child(at, "upstream"), f.Login.Upstream)
	hasForm := len(f.Login.Provider) == 0 || len(f.Login.Fields) > 0
	if u != nil && u.Login == nil && hasForm {
		ck.Refuse(child(at, "upstream"), "this upstream has no login", "name one that has, or give it one")
	}
	if u != nil {
		ck.offered(at, f, u)
	}
	ck.signInAtProvider(at, f)
	if len(f.Login.Fields) == 0 && hasForm && ck.Config.Source.Has(at) {
		ck.Refuse(child(at, "fields"), "this key is missing or empty, and there is no provider", "[email, password], or provider: NAME")
	}
	ck.Fields(child(at, "fields"), f.Login.Fields)
	ck.AccountField(child(at, "fields"), f.Login.Fields)
	if !hasForm {
		ck.exposeNames(child(at, "expose"), f)
	}
	if u == nil || u.Login == nil || !hasForm {
		return
	}
	ck.unused(child(at, "fields"), f, u)
	ck.expose(child(at, "expose"), f, u)
}

// unused warns of a field that people fill in for nothing.
func (ck frontendCheck) unused(path string, f *configs.Frontend, u *configs.Upstream) {
	asked := u.Login.Request.Names()
	for _, s := range u.Login.Steps {
		if len(s.Fields) == 0 { // it runs by itself, with the fields of the sign-in
			asked = append(asked, s.Request.Names()...)
		}
	}
	for i, declared := range f.Login.Fields {
		if name, _ := configs.FieldName(declared); mapping.IsName(name) && !slices.Contains(asked, name) && name != f.Cookie.Persistent.Field {
			ck.Warn(item(path, i), "no sign-in request sends this field", "put "+ck.Braced(item(path, i), name)+" into the upstream's login.request")
		}
	}
}

// expose refuses what would show a token to the page.
func (ck frontendCheck) expose(path string, f *configs.Frontend, u *configs.Upstream) {
	if u.Login.User == nil {
		if len(f.Login.Expose) > 0 {
			ck.Refuse(path, "the upstream's login has no user", "add user: {from: response, at: /user}")
		}
		return
	}
	for i, name := range f.Login.Expose {
		place := name
		if !strings.HasPrefix(name, "/") {
			place = mapping.Pointer(name)
		}
		if name != "" && u.Login.User.From == "response" && u.TakesAt(u.Login.User.At+place) {
			ck.Refuse(item(path, i), "the credential is taken from this field: a page would see the token", "")
		}
	}
	ck.exposeNames(path, f)
}

// exposeNames checks the names themselves.
func (ck frontendCheck) exposeNames(path string, f *configs.Frontend) {
	for i, name := range f.Login.Expose {
		at := item(path, i)
		last := name[strings.LastIndex(name, "/")+1:]
		switch {
		case name == "" || strings.Contains(name, "*"):
			ck.Refuse(at, "not a field name of a user", "list each field")
		case name[0] == '/' && mapping.CheckPointer(name) != nil:
			ck.Pointer(at, name)
		case name[0] != '/' && strings.Contains(name, ".") && !strings.Contains(name, "://"):
			ck.Complain(at, rule.Complaint{Message: "a dot leads to no field inside another: a pointer does", Hint: "/" + strings.ReplaceAll(name, ".", "/") + "; or /" + name + ", for a field of that very name"})
		case last == credential.AccessToken || last == credential.RefreshToken || last == "id_token":
			ck.Refuse(at, "a page would see a token", "")
		case slices.Index(f.Login.Expose, name) < i:
			ck.Refuse(at, "duplicate field", "")
		}
	}
}
