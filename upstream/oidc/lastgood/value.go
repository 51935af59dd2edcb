// Package lastgood keeps one document of a provider's, its metadata or its keys: fetched
// when it is needed, once for all who wait, and served for a day while the provider does
// not answer.
package lastgood

import (
	"context"
	"sync"
	"time"
)

const (
	// Timeout bounds one fetch.
	Timeout = 10 * time.Second
	// freshFor is how old metadata and keys may be before they are fetched again.
	freshFor = time.Hour
	// lastGood is how long the last good set serves while fetching fails.
	lastGood = 24 * time.Hour
	// retryStale and retryNone are how long after a failed fetch the next one waits,
	// with a last good set and without.
	retryStale = 30 * time.Second
	retryNone  = time.Second
	// patience is how long anybody waits for a fetch while the last good set serves.
	patience = time.Second
	// refetchEvery is how often unknown key ids may cause a fetch.
	refetchEvery = 30 * time.Second
)

// Value is a value of the provider's, fetched when it is needed by one request for
// all who wait. The fetch runs in a goroutine of its own, which ends by Timeout;
// a waiter who leaves does not stop it for the others.
type Value[T any] struct {
	now   func() time.Time
	fetch func(context.Context) (T, error)

	mu     sync.Mutex // guards what follows; never held while fetching
	value  T
	good   bool
	at     time.Time // when value was fetched
	tried  time.Time // when a fetch began last
	err    error     // how the last fetch failed
	flight *flight   // the fetch that is under way
}

// flight is one fetch; err may be read when done is closed.
type flight struct {
	done chan struct{}
	err  error
}

// New makes a Value that fetch fetches. now tells the time.
func New[T any](now func() time.Time, fetch func(context.Context) (T, error)) *Value[T] {
	return &Value[T]{now: now, fetch: fetch}
}

// Get returns the value, fetching it where it is missing or old.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	value, usable, due, err := v.look()
	if !due {
		if usable {
			return value, nil
		}
		return value, err
	}
	if usable {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience) // the fetch itself goes on
		defer cancel()
	}
	err = v.await(ctx, func() bool { return true })
	if value, usable, _, _ = v.look(); usable {
		return value, nil
	}
	return value, err
}

// look returns the value, whether it may be used, and whether a fetch is due.
func (v *Value[T]) look() (value T, usable, due bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	usable = v.good && now.Sub(v.at) < lastGood
	wait := retryNone
	if usable {
		wait = retryStale
	}
	stale := !usable || now.Sub(v.at) >= freshFor
	due = stale && (v.err == nil || now.Sub(v.tried) >= wait)
	return v.value, usable, due, v.err
}

// Renew fetches the value where a allows it, or waits for the fetch that is under way. It
// does nothing where there is neither.
func (v *Value[T]) Renew(ctx context.Context, a *Allowance) error {
	return v.await(ctx, func() bool { return a.take(v.now()) })
}

// await waits for the fetch that is under way, or begins one where it may: in one step, so
// that of two who come at once one begins it and the other one waits.
func (v *Value[T]) await(ctx context.Context, may func() bool) error {
	v.mu.Lock()
	f := v.flight
	if f == nil && may() {
		f = &flight{done: make(chan struct{})}
		v.flight = f
		go v.run(context.WithoutCancel(ctx), f)
	}
	v.mu.Unlock()
	if f == nil {
		return nil
	}
	return f.wait(ctx)
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (v *Value[T]) run(ctx context.Context, f *flight) {
	began := v.now()
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	value, err := v.fetch(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tried, v.err, v.flight, f.err = began, err, nil, err
	if err == nil {
		v.value, v.good, v.at = value, true, began
	}
	close(f.done)
}

// Last is the last good value, however old.
func (v *Value[T]) Last() (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.value, v.good
}

// Age is how old the value is; false where there is none.
func (v *Value[T]) Age() (time.Duration, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now().Sub(v.at), v.good
}

// Allowance lets one pass every refetchEvery. Its zero value lets the first one pass.
type Allowance struct {
	mu   sync.Mutex
	last time.Time
}

// take reports whether this one may pass.
func (a *Allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.last.IsZero() && now.Sub(a.last) < refetchEvery {
		return false
	}
	a.last = now
	return true
}
