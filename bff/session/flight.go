package session

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime/debug"
	"sync"
	"time"
)

// flights are the refreshes at work in this process, one per session, and the
// failures of the last second.
type flights struct {
	mu      sync.Mutex
	running map[hash]*flight
	failed  map[failed]failure
	work    sync.WaitGroup
}

// flight is one refresh that any number of calls wait for. session and err are
// set before done is closed, which may be before the work has ended.
type flight struct {
	done     chan struct{}
	ended    chan struct{} // closed when the next flight of the session may begin
	purpose  string
	answered bool
	session  *Session
	err      error
}

// failed is what failed: a change of a session's credential.
type failed struct {
	session hash
	purpose string
}

type failure struct {
	version uint64 // of what was to be replaced
	err     error
	at      time.Duration // reading of the local clock
}

func (f *flights) init() { f.running, f.failed = map[hash]*flight{}, map[failed]failure{} }

// board returns the flight of job's session, which it starts if there is none,
// or the failure of a moment ago. The flight's goroutine ends with its work; it
// is cut off from ctx's end, because others wait for it too.
func (f *flights) board(ctx context.Context, job *refresh, now time.Duration) (*flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x, ok := f.failed[failed{job.h, job.purpose}]; ok && x.version == job.old.version(job.purpose) && now-x.at < failureKept {
		return nil, x.err
	}
	if fl := f.running[job.h]; fl != nil {
		return fl, nil
	}
	fl := &flight{done: make(chan struct{}), ended: make(chan struct{}), purpose: job.purpose}
	f.running[job.h] = fl
	job.flight, job.owner = fl, rand.Text()
	f.work.Go(func() { f.fly(context.WithoutCancel(ctx), job) })
	return fl, nil
}

func (f *flights) fly(ctx context.Context, job *refresh) {
	s, err := job.safely(ctx)
	if job.purpose == "" {
		job.m.counts.refreshed(job.mine, err)
	}
	f.mu.Lock()
	delete(f.running, job.h)
	f.mu.Unlock()
	close(job.flight.ended)
	f.answer(job.flight, s, err)
}

// safely keeps a panic in the caller's function from ending the process: here it
// has left the call that would have recovered.
func (r *refresh) safely(ctx context.Context) (s *Session, err error) {
	defer func() {
		if recover() != nil {
			r.m.log.Error("panic", "stack", string(debug.Stack()))
			s, err = nil, errors.New("session: refresh: panic in the refresh function")
			r.unlease(ctx, true)
		}
	}()
	return r.run(ctx)
}

// answer tells those who wait; the first answer counts.
func (f *flights) answer(fl *flight, s *Session, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.answered {
		return
	}
	fl.answered, fl.session, fl.err = true, s, err
	close(fl.done)
}

// fail remembers a failure for a second.
func (f *flights) fail(what failed, why failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed[what] = why
}

func (f *flights) sweep(oldest time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for what, x := range f.failed {
		if x.at < oldest {
			delete(f.failed, what)
		}
	}
}

// wait returns when no refresh is at work.
func (f *flights) wait() { f.work.Wait() }
