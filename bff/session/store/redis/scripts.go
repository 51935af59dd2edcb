package redis

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Run runs a Lua script of another room in one atomic step, by its hash, and whole where
// the server does not know it. keys are in one slot. A script that returns nothing is no
// error. It is how keys of programs and limits on calls share this store's connections.
func (r *Store) Run(ctx context.Context, script string, keys []string, args ...any) (any, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	answer, err := hashed(script).Run(ctx, r.conn, keys, args...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return answer, r.fault(err)
}

// scripts are those that were run, by their text: a handful of constants.
var scripts sync.Map

func hashed(text string) *redis.Script {
	if known, ok := scripts.Load(text); ok {
		return known.(*redis.Script)
	}
	known, _ := scripts.LoadOrStore(text, redis.NewScript(text))
	return known.(*redis.Script)
}
