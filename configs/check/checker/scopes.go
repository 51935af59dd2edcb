package checker

import (
	"slices"
	"strings"

	"coatcheck/configs/keypath"
)

// Scopes checks what a provider is asked for (RFC 6749 §3.3).
func (ck *Checker) Scopes(path string, scopes []string) {
	for i, scope := range scopes {
		at := keypath.Item(path, i)
		switch {
		case scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
			ck.Refuse(at, "a scope is visible ASCII without spaces, quotes and backslashes (RFC 6749 §3.3)", "one scope on each line of the list")
		case slices.Index(scopes, scope) < i:
			ck.Refuse(at, "duplicate scope", "")
		}
	}
}
