package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"coatcheck/bff/keyring"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/warnings"
)

// core is what all parts of a Manager share: the store and its clock, keys and settings,
// and where to say what is wrong.
type core struct {
	warnings warnings.Log
	store    store.Store
	prefix   string
	kind     string // of the records
	log      *slog.Logger
	settings atomic.Pointer[settings]
	clock    store.SharedClock
}

func newCore(st store.Store, set *settings, o Options) *core {
	c := &core{store: st, prefix: o.Prefix, kind: o.Kind, log: o.Log}
	if c.prefix == "" {
		c.prefix = "coatcheck"
	}
	if c.kind == "" {
		c.kind = kindOfSessions
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.settings.Store(set)
	c.clock.LocalClock = store.NewLocalClock(o.Now)
	c.warnings.Init(c.log, c.clock.Elapsed)
	return c
}

// warn logs what an operator should look at; what is a constant.
func (c *core) warn(what string, attrs ...any) { c.warnings.Warn(what, attrs...) }

// securityEvent logs what no honest party causes; event is a constant.
func (c *core) securityEvent(event string, attrs ...any) { c.warnings.SecurityEvent(event, attrs...) }

func (c *core) now() time.Time { return c.clock.Now() }

// keyAt is where a record of kind is stored. The braces keep it and what is beside it
// in one slot of a Redis Cluster.
func (c *core) keyAt(kind string, h hash) string { return c.prefix + ":" + kind + ":{" + h.Hex() + "}" }

// kindOfSessions is the kind of records that are people's sessions.
const kindOfSessions = "s"

// key is where the record of a session is stored.
func (c *core) key(h hash) string { return c.keyAt(c.kind, h) }

// judge judges a record that does not open. Only a corrupt one is removed: under an
// unknown key or in a newer format it is another replica's business. Under an unknown
// key the error is [EndedError] and [keyring.ErrUnknownKey]: it may live elsewhere.
func (c *core) judge(frontend string, why error, remove func() error) error {
	switch {
	case errors.Is(why, keyring.ErrNewer):
		c.warn("session record of a newer version", "frontend", frontend)
		return store.Unavailable("find", why)
	case errors.Is(why, keyring.ErrUnknownKey):
		c.warn("session sealed under a key that is not in sessions.keys", "frontend", frontend)
		return fmt.Errorf("%w: %w", EndedError{Expired}, why)
	case !errors.Is(why, keyring.ErrCorrupt):
		return store.Unavailable("find", why)
	}
	c.securityEvent("record_corrupt", "frontend", frontend)
	if err := remove(); err != nil {
		return store.Unavailable("find", err)
	}
	return EndedError{Expired}
}

// askClock measures the distance between the store's clock and ours.
func (c *core) askClock(ctx context.Context) error {
	before := c.clock.Elapsed()
	given, err := c.store.Clock(ctx)
	if err != nil {
		return store.Unavailable("clock", err)
	}
	c.clock.Measure(before, c.clock.Elapsed(), given)
	return nil
}

// needClock makes sure that the distance was measured once.
func (c *core) needClock(ctx context.Context) error {
	if c.clock.IsKnown() {
		return nil
	}
	return c.askClock(ctx)
}

// contain is deferred: a fault of the program in a message, a round or a renewal of a
// lease costs that one, and not the process. What it says may be a secret.
func (c *core) contain() {
	if recover() != nil {
		c.log.Error("panic", "stack", string(debug.Stack()))
	}
}
