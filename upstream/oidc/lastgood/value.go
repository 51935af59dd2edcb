// Package lastgood keeps one document of a provider's, its metadata or its keys: fetched
// when it is needed, once for all who wait, and served for a day while the provider does
// not answer.
package lastgood

import (
	"context"
	"errors"
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
	value, usable, f, err := v.look(ctx)
	if f == nil {
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
	err = f.wait(ctx)
	if value, usable = v.current(); usable {
		return value, nil
	}
	return value, err
}

// current returns the value, and whether it may be used.
func (v *Value[T]) current() (T, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.value, v.usable(v.now())
}

// usable is asked under the lock.
func (v *Value[T]) usable(now time.Time) bool { return v.good && now.Sub(v.at) < lastGood }

// look returns the value, whether it may be used, and the fetch that it waits for; nil:
// none is due. That one is due and that it begins is one step: were it two, a fetch could
// end between them, and the next one would begin for nothing.
func (v *Value[T]) look(ctx context.Context) (value T, usable bool, f *flight, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	usable = v.usable(now)
	wait := retryNone
	if usable {
		wait = retryStale
	}
	stale := !usable || now.Sub(v.at) >= freshFor
	if stale && (v.err == nil || now.Sub(v.tried) >= wait) {
		f = v.start(ctx)
	}
	return v.value, usable, f, v.err
}

// start begins a fetch, or returns the one that is under way. It is called under the lock.
func (v *Value[T]) start(ctx context.Context) *flight {
	if v.flight == nil {
		v.flight = &flight{done: make(chan struct{})}
		go v.run(context.WithoutCancel(ctx), v.flight)
	}
	return v.flight
}

// Again waits for the fetch that is under way, and begins one where there is none and
// allowed says that it may. What allowed gives and that the fetch begins is one step, too:
// whoever is not allowed finds the fetch of the one who was.
func (v *Value[T]) Again(ctx context.Context, allowed func() bool) error {
	v.mu.Lock()
	f := v.flight
	if f == nil && allowed() {
		f = v.start(ctx)
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

// errPanic says that the document could not be read, because of a fault of the program.
var errPanic = errors.New("panic while fetching")

// run fetches. A panic is a failed fetch: it must neither end the process nor leave those
// who wait, and what it says may be the provider's bytes.
func (v *Value[T]) run(ctx context.Context, f *flight) {
	began := v.now()
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	value, err := v.safely(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tried, v.err, v.flight, f.err = began, err, nil, err
	if err == nil {
		v.value, v.good, v.at = value, true, began
	}
	close(f.done)
}

func (v *Value[T]) safely(ctx context.Context) (value T, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return v.fetch(ctx)
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

// Take reports whether this one may pass.
func (a *Allowance) Take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.last.IsZero() && now.Sub(a.last) < refetchEvery {
		return false
	}
	a.last = now
	return true
}
