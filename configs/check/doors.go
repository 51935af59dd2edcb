package check

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/configs"
)

// door checks a frontend without pages: programs alone call it.
func (ck frontendCheck) door(path string, f *configs.Frontend) {
	if f.Host == "" {
		ck.Refuse(child(path, "host"), "a frontend without origins needs a host", "programs.example.com")
	}
	for _, key := range []string{"login", "cookie", "cors", "spa", "throttle", "shared_throttle", "csrf_header"} {
		if ck.Config.Source.Has(child(path, key)) {
			ck.Refuse(child(path, key), "a frontend without origins has no pages, and so no "+key, "origins, if it has pages")
		}
	}
	for i, r := range f.Routes {
		at := item(child(path, "routes"), i)
		if r.Session != "none" {
			ck.Refuse(child(at, "session"), "without pages nobody signs in here", "session: none")
		}
		if len(r.Callers) == 0 {
			ck.Refuse(child(at, "callers"), "a route without pages names who may call", "callers: [NAME]")
		}
	}
	if len(f.Routes) == 0 {
		ck.Warn(path, "a frontend without pages and routes answers nothing", "")
	}
}

// missingOrigins refuses a frontend that is neither pages nor a door; true where it did.
func (ck frontendCheck) missingOrigins(path string, f *configs.Frontend) bool {
	has := func(key string) bool { return ck.Config.Source.Has(child(path, key)) }
	if !f.IsDoor() || f.Host != "" && !has("login") && !has("origins") {
		return false
	}
	message := "required key missing"
	if has("origins") {
		message = "empty list"
	}
	ck.Refuse(child(path, "origins"), message, "https://shop.example.com; or, for programs alone, a host and no login")
	return true
}

// missingLogin refuses pages at which nobody could sign in.
func (ck frontendCheck) missingLogin(path string) {
	if at := child(path, "login"); !ck.Config.Source.Has(at) {
		ck.Refuse(at, "required key missing", "")
	}
}

// routeCallers checks which programs a route lets in.
func (ck routeCheck) routeCallers(path string, r *configs.Route) {
	if len(r.Callers) == 0 {
		if !r.Guard && r.Session == "none" {
			ck.Warn(child(path, "guard"), "nobody checks who calls: name a caller", "callers: [NAME], and no guard: false")
		}
		return
	}
	if r.Session == "optional" {
		ck.Refuse(child(path, "session"), "with callers, session is required (a person or a program) or none (programs only)", "required or none")
	}
	if !r.Guard {
		ck.Refuse(child(path, "guard"), "callers prove themselves, so the guard need not be off", "leave it out")
	}
	for i, name := range r.Callers {
		at := item(child(path, "callers"), i)
		c := ck.Config.Callers[name]
		switch {
		case name == "":
			ck.Refuse(at, "must not be empty", "")
		case c == nil:
			ck.Refuse(at, "there is no caller "+ck.Quote(at, name), ck.Suggest(at, name, slices.Sorted(maps.Keys(ck.Config.Callers))))
		case slices.Index(r.Callers, name) < i:
			ck.Refuse(at, "duplicate caller", "")
		default:
			ck.routeAccount(at, name, c, r)
		}
	}
	ck.routeMethods(path, r)
	ck.routeProofs(path, r)
}

// routeAccount checks that the route's upstream has the caller's account.
func (ck routeCheck) routeAccount(path, name string, c *configs.Caller, r *configs.Route) {
	u := ck.Config.Upstreams[r.Upstream]
	if c.Account == "" || u == nil || u.Accounts[c.Account] != nil {
		return
	}
	ck.Refuse(path, "caller "+name+" has an account that upstream "+r.Upstream+" does not have", child("upstreams", r.Upstream, "accounts", c.Account))
}

// routeMethods warns of callers none of whose methods the route lets through.
func (ck routeCheck) routeMethods(path string, r *configs.Route) {
	for i, name := range r.Callers {
		if c := ck.Config.Callers[name]; c != nil && len(c.Methods) > 0 && !overlaps(c.Methods, r.Methods) {
			ck.Warn(item(child(path, "callers"), i), "the route lets through none of this caller's methods", "")
		}
	}
}

// routeProofs refuses what a route cannot tell apart: a key and a signature in one place.
func (ck routeCheck) routeProofs(path string, r *configs.Route) {
	keys := ck.Config.KeyPlaces(r)
	for i, name := range r.Callers {
		at, c := item(child(path, "callers"), i), ck.Config.Callers[name]
		if c == nil {
			continue
		}
		for _, s := range c.Signature {
			switch {
			case s.Proof == nil:
			case ck.readsKeys(keys, s.Proof):
				ck.Refuse(at, "this caller's proof stands where another caller's keys are read", "a route of its own, or from: at the other caller")
			}
		}
	}
}

// readsKeys reports whether keys are read where a proof stands.
func (ck routeCheck) readsKeys(keys apikey.Places, p *configs.CallPlace) bool {
	switch {
	case p.Basic != "":
		return keys.Basic
	case strings.EqualFold(p.Header, "Authorization"):
		return keys.Bearer || keys.Basic
	case p.Header != "":
		return slices.ContainsFunc(keys.Headers, func(h string) bool { return strings.EqualFold(h, p.Header) })
	}
	return p.Query != "" && slices.Contains(keys.Queries, p.Query)
}
