package checker

import (
	"strings"

	"coatcheck/configs/keypath"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// Pointer checks a JSON pointer.
func (ck *Checker) Pointer(path, pointer string) {
	if f := mapping.CheckPointer(pointer); f != nil {
		ck.ComplainOf(path, []*mapping.Fault{f})
	}
}

// ComplainOf reports what a part of the mapping says is wrong with itself.
func (ck *Checker) ComplainOf(path string, faults []*mapping.Fault) {
	for _, f := range faults {
		at := path
		if f.Key != "" {
			at = keypath.Child(path, strings.Split(f.Key, ".")...)
		}
		ck.Complain(at, rule.Complaint{Message: f.Message, Hint: f.Hint})
	}
}
