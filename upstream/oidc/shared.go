package oidc

import (
	"context"
	"sync"
	"time"
)

const (
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

// shared is a value of the provider's, fetched when it is needed by one request for
// all who wait. The fetch runs in a goroutine of its own, which ends by fetchTimeout;
// a waiter who leaves does not stop it for the others.
type shared[T any] struct {
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

func newShared[T any](now func() time.Time, fetch func(context.Context) (T, error)) *shared[T] {
	return &shared[T]{now: now, fetch: fetch}
}

// get returns the value, fetching it where it is missing or old.
func (s *shared[T]) get(ctx context.Context) (T, error) {
	value, usable, f, err := s.look(ctx)
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
	if value, usable = s.current(); usable {
		return value, nil
	}
	return value, err
}

// current returns the value, and whether it may be used.
func (s *shared[T]) current() (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.usable(s.now())
}

// usable is asked under the lock.
func (s *shared[T]) usable(now time.Time) bool { return s.good && now.Sub(s.at) < lastGood }

// look returns the value, whether it may be used, and the fetch that it waits for; nil:
// none is due. That one is due and that it begins is one step: were it two, a fetch could
// end between them, and the next one would begin for nothing.
func (s *shared[T]) look(ctx context.Context) (value T, usable bool, f *flight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	usable = s.usable(now)
	wait := retryNone
	if usable {
		wait = retryStale
	}
	stale := !usable || now.Sub(s.at) >= freshFor
	if stale && (s.err == nil || now.Sub(s.tried) >= wait) {
		f = s.start(ctx)
	}
	return s.value, usable, f, s.err
}

// start begins a fetch, or returns the one that is under way. It is called under the lock.
func (s *shared[T]) start(ctx context.Context) *flight {
	if s.flight == nil {
		s.flight = &flight{done: make(chan struct{})}
		go s.run(context.WithoutCancel(ctx), s.flight)
	}
	return s.flight
}

// again waits for the fetch that is under way, and begins one where there is none and
// allowed says that it may. What allowed gives and that the fetch begins is one step, too:
// whoever is not allowed finds the fetch of the one who was.
func (s *shared[T]) again(ctx context.Context, allowed func() bool) error {
	s.mu.Lock()
	f := s.flight
	if f == nil && allowed() {
		f = s.start(ctx)
	}
	s.mu.Unlock()
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

func (s *shared[T]) run(ctx context.Context, f *flight) {
	began := s.now()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	value, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried, s.err, s.flight, f.err = began, err, nil, err
	if err == nil {
		s.value, s.good, s.at = value, true, began
	}
	close(f.done)
}

// age is how old the value is; false where there is none.
func (s *shared[T]) age() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().Sub(s.at), s.good
}

// allowance lets one pass every refetchEvery. Its zero value lets the first one pass.
type allowance struct {
	mu   sync.Mutex
	last time.Time
}

func (a *allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.last.IsZero() && now.Sub(a.last) < refetchEvery {
		return false
	}
	a.last = now
	return true
}
