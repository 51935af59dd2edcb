package configs

import "slices"

// Carries reports whether a route of f sends the token of its people to u.
func (f *Frontend) Carries(c *Config, u *Upstream) bool {
	return slices.ContainsFunc(f.Routes, func(r *Route) bool {
		return r.SendToken != nil && *r.SendToken && c.Upstreams[r.Upstream] == u
	})
}

// BindsTokens reports whether tokens of f's people may be bound to a key (RFC 9449): they
// go to some API, and every one that gets them takes such tokens.
func (c *Config) BindsTokens(f *Frontend) bool {
	some := false
	for _, u := range c.Upstreams {
		if f.Carries(c, u) {
			if !u.DPoP {
				return false
			}
			some = true
		}
	}
	return some
}
