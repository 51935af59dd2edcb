package check

import (
	"strings"

	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// pointer checks a JSON pointer.
func (ck *checker) pointer(path, pointer string) {
	if f := mapping.CheckPointer(pointer); f != nil {
		ck.complainOf(path, []*mapping.Fault{f})
	}
}

// complainOf reports what a part of the mapping says is wrong with itself.
func (ck *checker) complainOf(path string, faults []*mapping.Fault) {
	for _, f := range faults {
		at := path
		if f.Key != "" {
			at = child(path, strings.Split(f.Key, ".")...)
		}
		ck.complain(at, rule.Complaint{Message: f.Message, Hint: f.Hint})
	}
}
