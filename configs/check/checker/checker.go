// Package checker is what every part of a check stands on: the configuration, the faults
// that were found in it so far, and the rules that several parts share.
package checker

import (
	"maps"
	"slices"
	"strconv"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// Checker is one configuration, and the faults that were found in it so far.
type Checker struct {
	Config *configs.Config
	faults []configs.Fault
}

// New returns a checker that has found nothing yet.
func New(c *configs.Config) *Checker { return &Checker{Config: c} }

// Faults are what was found, in the order of the file.
func (ck *Checker) Faults() []configs.Fault {
	configs.SortFaults(ck.faults)
	return ck.faults
}

// add keeps f, unless another rule has led to the same words.
func (ck *Checker) add(f configs.Fault) {
	at := ck.Config.Source.At(f.Path)
	f.File, f.Line, f.Column = ck.Config.Source.File(), at.Line, at.Column
	if !slices.Contains(ck.faults, f) {
		ck.faults = append(ck.faults, f)
	}
}

// Refuse reports what cannot work.
func (ck *Checker) Refuse(path, message, hint string) {
	ck.add(configs.Fault{Path: path, Message: message, Hint: hint})
}

// Warn reports what works but is unwise.
func (ck *Checker) Warn(path, message, hint string) {
	ck.add(configs.Fault{Path: path, Message: message, Hint: hint, Warning: true})
}

// Complain reports c, if it is one. Its hint may repeat the value, so it is left
// out where the value came out of a variable.
func (ck *Checker) Complain(path string, c rule.Complaint) bool {
	if !c.Is() {
		return false
	}
	if ck.Config.Source.FromVariable(path) {
		c.Hint = ""
	}
	ck.Refuse(path, c.Message, c.Hint)
	return true
}

// Quote returns a value for a message, unless it came out of a variable.
func (ck *Checker) Quote(path, value string) string {
	if ck.Config.Source.FromVariable(path) {
		return "the variable's value"
	}
	return strconv.Quote(value)
}

// KnownUpstream is the upstream called name, which path says. It refuses one that is not
// there, and returns nil. An empty name has been reported.
func (ck *Checker) KnownUpstream(path, name string) *configs.Upstream {
	if name == "" {
		return nil
	}
	u := ck.Config.Upstreams[name]
	if u == nil {
		ck.Refuse(path, "there is no upstream "+ck.Quote(path, name), ck.Suggest(path, name, slices.Sorted(maps.Keys(ck.Config.Upstreams))))
	}
	return u
}

// Frontends are all of them, in no order.
func (ck *Checker) Frontends() []*configs.Frontend {
	var list []*configs.Frontend
	for _, f := range ck.Config.Frontends {
		list = append(list, f)
	}
	return list
}

// Suggest is a hint for a name that is not known, or "" where it came out of a variable.
func (ck *Checker) Suggest(path, name string, known []string) string {
	if ck.Config.Source.FromVariable(path) {
		return ""
	}
	return rule.Suggest(name, known)
}

// Braced is {name} for a message, unless it came out of a variable.
func (ck *Checker) Braced(path, name string) string {
	if ck.Config.Source.FromVariable(path) {
		return "a {name}"
	}
	return "{" + name + "}"
}
