package session_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/session/store/storetest"
)

// server is a real redis-server of one test, with a connection of the test's own.
type server struct{ *storetest.Redis }

func newServer(t testing.TB, args ...string) *server {
	return &server{storetest.NewRedis(t, args...)}
}

func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, args...)
	s.Start()
	return s
}

// raw is a connection with all rights.
func (s *server) raw() *redis.Client {
	const patience = time.Minute // with a busy machine
	return redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, DialTimeout: patience, ReadTimeout: patience})
}
