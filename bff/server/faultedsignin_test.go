package server_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/rig"
	"coatcheck/bff/session/store"
)

// hollow is a store in which beginning a session is a fault of the program, while armed.
type hollow struct {
	store.Store
	armed atomic.Bool
}

func (h *hollow) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if h.armed.Load() {
		panic("fault at a sign-in with " + rig.TokenMark)
	}
	return h.Store.Create(ctx, key, value, ttl)
}

// TestFaultsStayCounted: sign-ins that end in a fault of the program count as guesses,
// because the API may have said that they are: before the fault, or where it was read.
func TestFaultsStayCounted(t *testing.T) {
	const account = 3 // the limit of till
	in := func(h *house, password string) answer {
		return h.call("POST /bff/login\n\n"+loginBody("ada@x.test", password), apiHost, till, xcsrf, json_)
	}
	broken := new(hollow)
	h := open(t, settings{faulty: func(s store.Store) store.Store { broken.Store = s; return broken }})
	broken.armed.Store(true)
	for range account {
		h.want(in(h, rig.PasswordMark), 500, "internal")
	}
	broken.armed.Store(false)
	h.want(in(h, rig.PasswordMark), 429, "too_many_attempts")

	h = open(t, settings{fault: `"outcome":"invalid_credentials"`})
	for range account {
		h.want(in(h, "wrong"), 500, "internal")
	}
	h.want(in(h, rig.PasswordMark), 429, "too_many_attempts")
}
