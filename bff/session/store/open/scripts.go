package open

import (
	"context"

	"coatcheck/bff/session/store"
)

// Scripts runs a Lua script in a store that several replicas share.
type Scripts interface {
	// Run returns what the script does; arguments are strings and whole numbers. Errors are
	// that the store is away, or the script's own.
	Run(ctx context.Context, script string, keys []string, args ...any) (any, error)
}

// ScriptsOf is nil for a store in this process.
func ScriptsOf(s store.Store) Scripts {
	scripts, _ := store.Unobserved(s).(Scripts)
	return scripts
}
