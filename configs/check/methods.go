package check

import (
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

func (ck *checker) methods(path string, r *configs.Route) {
	if len(r.Methods) == 0 {
		ck.refuse(path, "empty list: no method would pass", "leave it out")
	}
	for i, m := range r.Methods {
		at := item(path, i)
		switch {
		case m == "*":
			ck.refuse(at, "no wildcards for methods", "list each method")
		case !rule.IsMethod(m) && rule.IsMethod(strings.ToUpper(m)):
			ck.refuse(at, "methods must be upper case", strings.ToUpper(m))
		case !rule.IsMethod(m):
			ck.refuse(at, ck.quote(at, m)+" never reaches a route", strings.Join(rule.Methods, ", ")+", and those of WebDAV, QUERY, LINK, UNLINK")
		case slices.Index(r.Methods, m) < i:
			ck.refuse(at, "duplicate method", "")
		}
	}
	if r.WebSocket && len(r.Methods) > 0 && !slices.Contains(r.Methods, "GET") {
		ck.refuse(path, "a WebSocket handshake is a GET", "add GET")
	}
}
