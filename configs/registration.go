package configs

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/configs/rule"
)

// Registration is what must be registered at a provider, for all frontends that
// sign people in there.
type Registration struct {
	// Provider is its name in the configuration.
	Provider string
	// Redirect are redirect URIs, PostLogout where browsers come back to after signing
	// out there, BackChannel where logout tokens may go: any one of these.
	Redirect, PostLogout, BackChannel []string
}

// Registrations lists what must be registered at each provider, by name.
func (c *Config) Registrations() []Registration {
	var list []Registration
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		r := Registration{Provider: name}
		for _, frontend := range slices.Sorted(maps.Keys(c.Frontends)) {
			f := c.Frontends[frontend]
			if !slices.Contains(f.Login.Provider, name) {
				continue
			}
			for _, base := range f.PublicURLs() {
				r.Redirect = add(r.Redirect, base+"/bff/callback/"+name)
				r.BackChannel = add(r.BackChannel, base+"/bff/backchannel-logout/"+name)
			}
			r.PostLogout = add(r.PostLogout, f.Origins[0]+f.BasePath+"/")
		}
		list = append(list, r)
	}
	return list
}

// PublicURLs are the addresses, without a slash at the end, below which browsers reach
// the frontend's /bff: one for each of its hosts. A port is the configured host's own;
// without one it is an origin's of that host, or else the scheme's.
func (f *Frontend) PublicURLs() []string {
	var list []string
	for _, o := range f.Origins {
		if f.Host != "" && (f.Host != f.hostName() || rule.OriginHost(o) != f.Host) {
			scheme, _, _ := strings.Cut(o, "://")
			o = scheme + "://" + f.Host
		}
		list = add(list, o+f.BasePath)
	}
	return list
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
