package apikey_test

import (
	"context"
	"errors"
	"testing"

	"coatcheck/bff/rig"

	"github.com/redis/go-redis/v9"
)

// scripts is what the room that owns the connection does.
type scripts struct{ *redis.Client }

func (s scripts) Run(ctx context.Context, script string, keys []string, args ...any) (any, error) {
	got, err := redis.NewScript(script).Run(ctx, s.Client, keys, args...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return got, err
}

// startRedis starts a real redis-server of this test alone.
func startRedis(t *testing.T) scripts {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: rig.Redis(t), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return scripts{client}
}
