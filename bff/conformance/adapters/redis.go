package adapters

import (
	"fmt"
	"strings"
	"testing"

	"coatcheck/bff/conformance/world"
	"coatcheck/bff/rig"
)

// redisStore is a Redis behind a link that can be cut.
type redisStore struct {
	redis string
	link  *rig.Link
}

// owner ends with a world what the rig would end with a test.
type owner struct {
	testing.TB
	w *world.World
}

// Helper, Cleanup and Fatal are what the rig's link asks of a test.
func (owner) Helper() {}

// Cleanup runs f with the end of the world.
func (o owner) Cleanup(f func()) { o.w.OnEnd(f) }

// Fatal ends the program.
func (owner) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func newStore(w *world.World) (*redisStore, error) {
	redis, stop, err := rig.OpenRedis("--dir", w.Dir)
	if err != nil {
		return nil, err
	}
	w.OnEnd(stop)
	return &redisStore{redis, rig.NewLink(owner{w: w}, redis)}, nil
}

// Cut implements [suite.Store].
func (s *redisStore) Cut() { s.link.Set(rig.Fault{Refuse: true}) }

// Mend implements [suite.Store].
func (s *redisStore) Mend() { s.link.Set(rig.Fault{}) }

// Dump implements [suite.Store]: every key with its value, strings and hashes.
func (s *redisStore) Dump() string {
	keys, err := rig.TryRedis(s.redis, "KEYS", "*")
	if err != nil {
		return ""
	}
	var b strings.Builder
	list, _ := keys.([]any)
	for _, key := range list {
		name := fmt.Sprint(key)
		b.WriteString(name + "\n")
		for _, command := range []string{"GET", "HGETALL", "SMEMBERS"} {
			if value, err := rig.TryRedis(s.redis, command, name); err == nil {
				fmt.Fprintln(&b, value)
			}
		}
	}
	return b.String()
}
