package check

import (
	"strings"

	"coatcheck/configs"
)

// runtimeKeys warns of a caller whose keys can only be made at run time, where they do
// not last.
func (ck callerCheck) runtimeKeys(path string, c *configs.Caller) {
	if c.Kind() != configs.ByKey || len(c.Keys) > 0 {
		return
	}
	switch store := ck.Config.Sessions.Store.Reveal(); {
	case strings.HasPrefix(store, "file:"):
		ck.Warn(path, "no key of this caller can be made: keys made at run time need a Redis", "keys: [\"sha256:…\"] by `coatcheck apikey new --offline`, or sessions.store: redis://…")
	case strings.HasPrefix(store, "memory:"):
		ck.Warn(path, "keys made at run time end with the process, and no other replica knows them", "keys: [\"sha256:…\"] by `coatcheck apikey new --offline`, or sessions.store: redis://…")
	}
}
