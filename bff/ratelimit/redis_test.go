package ratelimit_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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

// startRedis starts a real redis-server of this test alone, on a socket of its own.
func startRedis(t *testing.T) scripts {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not in PATH")
	}
	dir, err := os.MkdirTemp("", "redis") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "no", "--loglevel", "warning")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1})
	t.Cleanup(func() {
		_ = client.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	for began := time.Now(); client.Ping(context.Background()).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("redis-server does not answer")
		}
	}
	return scripts{client}
}
