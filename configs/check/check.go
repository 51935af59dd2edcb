// Package check says what cannot work in a configuration, and what is unwise: one file
// for each part of it. Upstreams have a room of their own. Rules that a text alone keeps or
// breaks stand in package rule.
package check

import (
	"coatcheck/configs"
	"coatcheck/configs/check/checker"
	"coatcheck/configs/check/upstreams"
)

// Config holds a configuration against everything that must be so, and warns
// about what is unwise. Package read calls it; call it only for a configuration that
// was changed since. It opens no file and calls nobody.
func Config(c *configs.Config) []configs.Fault {
	ck := checker.New(c)
	whole := processCheck{ck}
	whole.process()
	whole.sessions()
	upstreams.Check(ck)
	providerCheck{ck}.providers()
	callerCheck{ck}.callers()
	frontendCheck{routeCheck{ck}}.frontends()
	return ck.Faults()
}

// Each part of a configuration has a check of its own. What stands first in one are the
// checks that it makes use of.
type (
	processCheck  struct{ *checker.Checker }
	providerCheck struct{ *checker.Checker }
	callerCheck   struct{ *checker.Checker }
	routeCheck    struct{ *checker.Checker }
	frontendCheck struct{ routeCheck }
)
