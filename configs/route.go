package configs

import (
	"slices"
	"strings"

	"coatcheck/configs/rule"
)

// UnusualMethods are the methods of all routes that the public listener does not take
// without being told, sorted.
func (c *Config) UnusualMethods() []string {
	var list []string
	for _, f := range c.Frontends {
		for _, r := range f.Routes {
			for _, m := range r.Methods {
				if rule.IsUnusualMethod(m) {
					list = append(list, m)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// IsExact reports whether the route takes one path, rather than all below a prefix.
func (r *Route) IsExact() bool { return !strings.HasSuffix(r.Path, "/") }
