package configs

import (
	"maps"
	"slices"
	"strconv"
)

// Check holds a configuration against everything that must be so, and warns
// about what is unwise. [Load] and [Parse] call it; call it only for a
// configuration that was changed since. It opens no file and calls nobody.
func Check(c *Config) []Fault {
	ck := &checker{config: c}
	ck.process()
	ck.sessions()
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		ck.upstream(name, c.Upstreams[name])
	}
	ck.providers()
	ck.callers()
	ck.frontends()
	sortFaults(ck.faults)
	return ck.faults
}

// checker collects faults.
type checker struct {
	config *Config
	faults []Fault
}

func (ck *checker) add(f Fault) {
	at := ck.config.Source.At(f.Path)
	f.File, f.Line, f.Column = ck.config.Source.File(), at.Line, at.Column
	ck.faults = append(ck.faults, f)
}

// refuse reports what cannot work.
func (ck *checker) refuse(path, message, hint string) {
	ck.add(Fault{Path: path, Message: message, Hint: hint})
}

// warn reports what works but is unwise.
func (ck *checker) warn(path, message, hint string) {
	ck.add(Fault{Path: path, Message: message, Hint: hint, Warning: true})
}

// complain reports c, if it is one. Its hint may repeat the value, so it is left
// out where the value came out of a variable.
func (ck *checker) complain(path string, c complaint) bool {
	if !c.is() {
		return false
	}
	if ck.config.Source.FromVariable(path) {
		c.hint = ""
	}
	ck.refuse(path, c.message, c.hint)
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
func (ck *checker) known(path, name string) *Upstream {
	if name == "" {
		return nil
	}
	u := ck.config.Upstreams[name]
	if u == nil {
		hint := ""
		if !ck.config.Source.FromVariable(path) {
			hint = suggest(name, slices.Sorted(maps.Keys(ck.config.Upstreams)))
		}
		ck.refuse(path, "there is no upstream "+ck.quote(path, name), hint)
	}
	return u
}
