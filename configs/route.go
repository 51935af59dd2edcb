package configs

import (
	"slices"
	"strings"

	"coatcheck/configs/rule"
)

// UnusualMethods are the methods that the public listener takes besides the usual ones:
// all that a route may name where any route names one, so that a call to another route
// learns from that route which methods it has; else none.
func (c *Config) UnusualMethods() []string {
	for _, f := range c.Frontends {
		for _, r := range f.Routes {
			if slices.ContainsFunc(r.Methods, rule.IsUnusualMethod) {
				return rule.UnusualMethods
			}
		}
	}
	return nil
}

// IsExact reports whether the route takes one path, rather than all below a prefix.
func (r *Route) IsExact() bool { return !strings.HasSuffix(r.Path, "/") }
