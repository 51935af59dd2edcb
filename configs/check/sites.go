package check

import (
	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// sites checks that the frontend's pages and its host are one site.
func (ck frontendCheck) sites(path string, f *configs.Frontend) {
	if f.Host == "" {
		return
	}
	own, _ := rule.SplitPort(f.Host)
	for i, o := range f.Origins {
		if host := rule.OriginHost(o); originIsFine(o) && !rule.SameSite(host, own) {
			ck.Refuse(item(child(path, "origins"), i),
				"the pages and "+child(path, "host")+" are different sites: the browser would not send the session cookie",
				"both must be under one registrable domain, as shop.example.com and api.example.com are")
		}
	}
}

// originIsFine reports whether an origin, or a pattern of origins, has been found right.
func originIsFine(o string) bool {
	if rule.IsPattern(o) {
		_, c := rule.OriginPattern(o)
		return !c.Is()
	}
	return !rule.Origin(o).Is()
}

// pattern checks a pattern of origins, and says what is trusted by it; true: it is faulty.
func (ck frontendCheck) pattern(path, o string, f *configs.Frontend) bool {
	p, c := rule.OriginPattern(o)
	switch {
	case ck.Complain(path, c):
		return true
	case len(f.Login.Provider) > 0:
		ck.Refuse(path, "a provider leads back to addresses that are registered there, one by one", "list each origin, or make it a frontend with a form")
		return true
	case f.Host != "":
		ck.Warn(path, "whoever can put a page under "+p.Base+" acts for everybody who is signed in here: all these pages share the session at "+f.Host, "only where all of them are your own")
	default:
		ck.Warn(path, "whoever can put a page under "+p.Base+" can have people sign in on it; each has a session of its own", "only where all of them are your own")
	}
	return false
}
