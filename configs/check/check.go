// Package check says what cannot work in a configuration, and what is unwise: one file
// for each part of it. Rules that a text alone keeps or breaks stand in package rule.
package check

import (
	"maps"
	"slices"
	"strconv"

	"coatcheck/configs"
	"coatcheck/configs/rule"
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

// checker collects faults.
type checker struct {
	config *configs.Config
	faults []configs.Fault
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

func (ck *checker) add(f configs.Fault) {
	at := ck.config.Source.At(f.Path)
	f.File, f.Line, f.Column = ck.config.Source.File(), at.Line, at.Column
	ck.faults = append(ck.faults, f)
}

// refuse reports what cannot work.
func (ck *checker) refuse(path, message, hint string) {
	ck.add(configs.Fault{Path: path, Message: message, Hint: hint})
}

// warn reports what works but is unwise.
func (ck *checker) warn(path, message, hint string) {
	ck.add(configs.Fault{Path: path, Message: message, Hint: hint, Warning: true})
}

// complain reports c, if it is one. Its hint may repeat the value, so it is left
// out where the value came out of a variable.
func (ck *checker) complain(path string, c rule.Complaint) bool {
	if !c.Is() {
		return false
	}
	if ck.config.Source.FromVariable(path) {
		c.Hint = ""
	}
	ck.refuse(path, c.Message, c.Hint)
	return true
}

// quote returns a value for a message, unless it came out of a variable.
func (ck *checker) quote(path, value string) string {
	if ck.config.Source.FromVariable(path) {
		return "the variable's value"
	}
	return strconv.Quote(value)
}

// known refuses the name of an upstream that is not there. An empty one has been reported.
func (ck *checker) known(path, name string) *configs.Upstream {
	if name == "" {
		return nil
	}
	u := ck.config.Upstreams[name]
	if u == nil {
		hint := ""
		if !ck.config.Source.FromVariable(path) {
			hint = rule.Suggest(name, slices.Sorted(maps.Keys(ck.config.Upstreams)))
		}
		ck.refuse(path, "there is no upstream "+ck.quote(path, name), hint)
	}
	return u
}
