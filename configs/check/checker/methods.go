package checker

import (
	"slices"
	"strings"

	"coatcheck/configs/keypath"
	"coatcheck/configs/rule"
)

// Methods checks a list of methods that calls may have.
func (ck *Checker) Methods(path string, methods []string) {
	if len(methods) == 0 {
		ck.Refuse(path, "empty list: no method would pass", "leave it out")
	}
	for i, m := range methods {
		at := keypath.Item(path, i)
		switch {
		case m == "*":
			ck.Refuse(at, "no wildcards for methods", "list each method")
		case !rule.IsMethod(m) && rule.IsMethod(strings.ToUpper(m)):
			ck.Refuse(at, "methods must be upper case", strings.ToUpper(m))
		case !rule.IsMethod(m):
			ck.Refuse(at, ck.Quote(at, m)+" never reaches a route", strings.Join(rule.Methods, ", ")+", and those of WebDAV, QUERY, LINK, UNLINK")
		case slices.Index(methods, m) < i:
			ck.Refuse(at, "duplicate method", "")
		}
	}
}
