// Package check says what cannot work in a configuration, and what is unwise: one file
// for each part of it. Rules that a text alone keeps or breaks stand in package rule.
package check

import (
	"maps"
	"slices"

	"coatcheck/configs"
)

// Config holds a configuration against everything that must be so, and warns
// about what is unwise. Package read calls it; call it only for a configuration that
// was changed since. It opens no file and calls nobody.
func Config(c *configs.Config) []configs.Fault {
	ck := &checker{config: c}
	whole := processCheck{ck}
	whole.process()
	whole.sessions()
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		upstreamCheck{accountCheck{signInCheck{mappingCheck{ck}}}}.upstream(name, c.Upstreams[name])
	}
	providerCheck{ck}.providers()
	callerCheck{ck}.callers()
	frontendCheck{routeCheck{ck}}.frontends()
	configs.SortFaults(ck.faults)
	return ck.faults
}

// Each part of a configuration has a check of its own. What stands first in one are the
// checks that it makes use of.
type (
	processCheck  struct{ *checker }
	mappingCheck  struct{ *checker }     // requests, answers and values of a mapping
	signInCheck   struct{ mappingCheck } // how people sign in at an API, and what follows
	accountCheck  struct{ signInCheck }  // how Coatcheck itself signs in there
	upstreamCheck struct{ accountCheck }
	providerCheck struct{ *checker }
	callerCheck   struct{ *checker }
	routeCheck    struct{ *checker }
	frontendCheck struct{ routeCheck }
)
