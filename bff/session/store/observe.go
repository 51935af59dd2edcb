package store

import (
	"context"
	"errors"
	"time"
)

// Observer hears of each question to a store: its operation, how long the answer took,
// and whether there was none. It is called on the caller's goroutine
// and must not block.
type Observer func(operation string, took time.Duration, failed bool)

// Observe returns s with an observer. [Events.Listen], which lasts, and what is not a
// question to the store are not observed.
func Observe(s Store, tell Observer) Store { return observed{s, tell} }

type observed struct {
	Store
	tell Observer
}

// since tells of a question that began at begun. A caller that left is no failure.
func (o observed) since(operation string, begun time.Time, err error) {
	o.tell(operation, time.Since(begun), err != nil && !errors.Is(err, context.Canceled))
}

func (o observed) Clock(ctx context.Context) (time.Time, error) {
	begun := time.Now()
	at, err := o.Store.Clock(ctx)
	o.since("clock", begun, err)
	return at, err
}

func (o observed) Load(ctx context.Context, key string) ([]byte, error) {
	begun := time.Now()
	value, err := o.Store.Load(ctx, key)
	o.since("load", begun, err)
	return value, err
}

func (o observed) Tombstone(ctx context.Context, key string) (string, error) {
	begun := time.Now()
	reason, err := o.Store.Tombstone(ctx, key)
	o.since("tombstone", begun, err)
	return reason, err
}

func (o observed) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	begun := time.Now()
	err := o.Store.Create(ctx, key, value, ttl)
	o.since("create", begun, err)
	return err
}

func (o observed) Touch(ctx context.Context, key string, t Touch) (Touched, error) {
	begun := time.Now()
	found, err := o.Store.Touch(ctx, key, t)
	o.since("touch", begun, err)
	return found, err
}

func (o observed) Replace(ctx context.Context, key string, s Swap) (Outcome, error) {
	begun := time.Now()
	outcome, err := o.Store.Replace(ctx, key, s)
	o.since("replace", begun, err)
	return outcome, err
}

func (o observed) Remove(ctx context.Context, key string, r Removal) ([]byte, Outcome, error) {
	begun := time.Now()
	value, outcome, err := o.Store.Remove(ctx, key, r)
	o.since("remove", begun, err)
	return value, outcome, err
}

func (o observed) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	begun := time.Now()
	held, value, err := o.Store.Lease(ctx, key, owner, ttl)
	o.since("lease", begun, err)
	return held, value, err
}

func (o observed) Unlease(ctx context.Context, key, owner string, note Note) error {
	begun := time.Now()
	err := o.Store.Unlease(ctx, key, owner, note)
	o.since("unlease", begun, err)
	return err
}

func (o observed) Seen(ctx context.Context, keys []string) ([]time.Time, error) {
	begun := time.Now()
	seen, err := o.Store.Seen(ctx, keys)
	o.since("seen", begun, err)
	return seen, err
}

func (o observed) AddEntry(ctx context.Context, table, id string, entry []byte, ttl time.Duration) (int, error) {
	begun := time.Now()
	n, err := o.Store.AddEntry(ctx, table, id, entry, ttl)
	o.since("index", begun, err)
	return n, err
}

func (o observed) Entries(ctx context.Context, table string) (map[string][]byte, error) {
	begun := time.Now()
	entries, err := o.Store.Entries(ctx, table)
	o.since("index", begun, err)
	return entries, err
}

func (o observed) DropEntries(ctx context.Context, table string, ids ...string) error {
	begun := time.Now()
	err := o.Store.DropEntries(ctx, table, ids...)
	o.since("index", begun, err)
	return err
}

func (o observed) Count(ctx context.Context, key, id string, limit int, window time.Duration) (time.Duration, bool, error) {
	begun := time.Now()
	retry, open, err := o.Store.Count(ctx, key, id, limit, window)
	o.since("throttle", begun, err)
	return retry, open, err
}

func (o observed) Decide(ctx context.Context, key, id string) error {
	begun := time.Now()
	err := o.Store.Decide(ctx, key, id)
	o.since("throttle", begun, err)
	return err
}

func (o observed) Uncount(ctx context.Context, key, id string) error {
	begun := time.Now()
	err := o.Store.Uncount(ctx, key, id)
	o.since("throttle", begun, err)
	return err
}

func (o observed) Mark(ctx context.Context, key string, ttl time.Duration) error {
	begun := time.Now()
	err := o.Store.Mark(ctx, key, ttl)
	o.since("mark", begun, err)
	return err
}

func (o observed) Marked(ctx context.Context, keys ...string) (bool, error) {
	begun := time.Now()
	is, err := o.Store.Marked(ctx, keys...)
	o.since("mark", begun, err)
	return is, err
}

func (o observed) Forget(ctx context.Context, key string) error {
	begun := time.Now()
	err := o.Store.Forget(ctx, key)
	o.since("mark", begun, err)
	return err
}

// Unobserved returns the store below an observer.
func Unobserved(s Store) Store {
	if o, ok := s.(observed); ok {
		return o.Store
	}
	return s
}
