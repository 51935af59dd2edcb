package configs

import (
	"maps"
	"slices"

	"coatcheck/bff/credential"
	"coatcheck/configs/keypath"
	"coatcheck/upstream/mapping"
)

// Values are the names of what the upstream's credential may hold and can be put somewhere,
// sorted.
func (u *Upstream) Values() []string {
	var names []string
	for _, places := range u.credentials() {
		for name := range places {
			if !mapping.IsExpiry(name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Values are the names of what a frontend's sign-ins give: the form's, and a provider's.
func (f *Frontend) Values(u *Upstream) []string {
	known := u.Values()
	if len(f.Login.Provider) > 0 {
		known = append(known, credential.AccessToken, "id_token")
	}
	return known
}

// CredentialCookies are the names of the cookies that a value of the credential is taken
// from, at a sign-in or later.
func (u *Upstream) CredentialCookies() map[string]bool {
	names := map[string]bool{}
	for _, places := range u.credentials() {
		for _, p := range places {
			if p.Cookie != "" {
				names[p.Cookie] = true
			}
		}
	}
	return names
}

// credentials are the credential's places, in each answer that may hold some of it.
func (u *Upstream) credentials() []map[string]mapping.Place {
	var all []map[string]mapping.Place
	if u.Login != nil {
		all = append(all, u.Login.Credential)
		for _, s := range u.Login.Steps {
			all = append(all, s.Credential)
		}
	}
	for _, w := range u.AllWays() {
		all = append(all, w.Credential)
		for _, s := range w.Steps {
			all = append(all, s.Credential)
		}
	}
	if u.Refresh != nil {
		all = append(all, u.Refresh.Credential)
	}
	return all
}

// SignInRequests are the requests whose paths are closed to routes, by the key path of
// what holds them; path is the upstream's own.
func (u *Upstream) SignInRequests(path string) map[string]*mapping.Request {
	list := map[string]*mapping.Request{}
	if u.Login != nil {
		list[keypath.Child(path, "login")] = u.Login.Request
		for name, s := range u.Login.Steps {
			list[keypath.Child(path, "login", "steps", name)] = s.Request
		}
	}
	for at, w := range u.AllWays() {
		list[path+"."+at] = w.Request
		if u.Login != nil && maps.Equal(w.Steps, u.Login.Steps) {
			continue // login's own
		}
		for name, s := range w.Steps {
			list[path+"."+keypath.Child(at, "steps", name)] = s.Request
		}
	}
	if u.Refresh != nil {
		list[keypath.Child(path, "refresh")] = u.Refresh.Request
	}
	if u.Logout != nil {
		list[keypath.Child(path, "logout")] = u.Logout.Request
	}
	for name, a := range u.Accounts {
		if a.Login != nil {
			list[keypath.Child(path, "accounts", name, "login")] = a.Login.Request
		}
	}
	return list
}

// TakesAt reports whether the place is that of a value of the credential, or inside one.
// What is around one may be shown: values are cut out of it (package upstream).
func (u *Upstream) TakesAt(pointer string) bool {
	places := []map[string]mapping.Place{u.Login.Credential}
	for _, s := range u.Login.Steps {
		places = append(places, s.Credential, s.Keep)
	}
	for _, w := range u.AllWays() {
		places = append(places, w.Credential)
		for _, s := range w.Steps {
			places = append(places, s.Credential, s.Keep)
		}
	}
	for _, each := range places {
		for name, p := range each {
			if !mapping.IsExpiry(name) && p.Covers(pointer) {
				return true
			}
		}
	}
	return false
}

// Names are the names that the way's request puts, and those of steps that run by themselves.
func (w *Way) Names() []string {
	names := w.Request.Names()
	for _, s := range w.Steps {
		if len(s.Fields) == 0 {
			names = append(names, s.Request.Names()...)
		}
	}
	return names
}

// SignsInByFields reports whether an account uses the upstream's own login.
func (u *Upstream) SignsInByFields() bool {
	for _, a := range u.Accounts {
		if a.Fields != nil {
			return true
		}
	}
	return false
}

// OptionalFields are the names of the fields that a page may leave out.
func (s *Step) OptionalFields() []string {
	var names []string
	for _, f := range s.Fields {
		if name, optional := FieldName(f); optional {
			names = append(names, name)
		}
	}
	return names
}
