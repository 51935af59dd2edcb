package rig

import (
	"context"
	"fmt"
	"strconv"
	"testing"
)

// Scripts runs Lua scripts in the Redis at an address, as the room that owns the connection
// does in service.
type Scripts struct{ Addr string }

// NewScripts starts an empty Redis of this test alone.
func NewScripts(t testing.TB) Scripts {
	t.Helper()
	return Scripts{Redis(t)}
}

// Run evaluates a script, over a connection of its own. A script that returns nothing is no
// error.
func (s Scripts) Run(_ context.Context, script string, keys []string, args ...any) (any, error) {
	command := append([]string{"EVAL", script, strconv.Itoa(len(keys))}, keys...)
	for _, a := range args {
		if b, is := a.([]byte); is {
			a = string(b)
		}
		command = append(command, fmt.Sprint(a))
	}
	return TryRedis(s.Addr, command...)
}
