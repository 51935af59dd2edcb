package check

import (
	"maps"
	"slices"
	"strconv"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// checker collects faults.
type checker struct {
	config *configs.Config
	faults []configs.Fault
}

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

// all returns the frontends in no order.
func (ck *checker) all() []*configs.Frontend {
	var list []*configs.Frontend
	for _, f := range ck.config.Frontends {
		list = append(list, f)
	}
	return list
}

func (ck *checker) suggestFor(path, name string, known []string) string {
	if ck.config.Source.FromVariable(path) {
		return ""
	}
	return rule.Suggest(name, known)
}

// braced is {name} for a message, unless it came out of a variable.
func (ck *checker) braced(path, name string) string {
	if ck.config.Source.FromVariable(path) {
		return "a {name}"
	}
	return "{" + name + "}"
}
