package forward

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// silences is how many calls in a row must get no response to count as silence.
	silences = 10
	// trialEvery is how often a call to a silent path is let through meanwhile.
	trialEvery = time.Second
)

// silentPaths notices an API that takes connections and says nothing, so that calls need
// not wait for header_timeout one after the other. One slow path looks the same as an
// API that hangs, as long as nobody asks for anything else. Therefore only the paths
// that were silent are refused, all others are let through, and any response, to whatever
// call, ends it.
type silentPaths struct {
	changed func(open bool) // not nil; called without the lock
	seed    maphash.Seed

	some atomic.Bool // a call got no response since the last response

	mu    sync.Mutex
	inRow int
	paths [silences]uint64 // hashes of the last silent ones
	next  time.Time        // when one of them is let through again; zero: all are
}

// answered takes note of a response.
func (s *silentPaths) answered() {
	if !s.some.Load() {
		return
	}
	s.mu.Lock()
	wasOpen := !s.next.IsZero()
	s.inRow, s.next = 0, time.Time{}
	s.some.Store(false)
	s.mu.Unlock()
	if wasOpen {
		s.changed(false)
	}
}

// unanswered takes note of a call to path that got no byte of a response in time.
func (s *silentPaths) unanswered(path uint64) {
	s.mu.Lock()
	s.paths[s.inRow%silences] = path
	s.inRow++
	s.some.Store(true)
	opens := s.inRow >= silences && s.next.IsZero()
	if opens {
		s.next = time.Now().Add(BreakerRest)
	}
	s.mu.Unlock()
	if opens {
		s.changed(true)
	}
}

// refuses reports whether path is silent.
func (s *silentPaths) refuses(path uint64) bool {
	if !s.some.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next.IsZero() || !slices.Contains(s.paths[:], path) {
		return false
	}
	now := time.Now()
	if now.Before(s.next) {
		return true
	}
	s.next = now.Add(trialEvery)
	return false
}

// isOpen reports whether some paths are refused at the moment.
func (s *silentPaths) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.next)
}

// path is a hash of what a call asks for, without its query.
func (s *silentPaths) path(call *Call) uint64 {
	_, target, _ := bytes.Cut(call.Head, []byte{' '})
	if end := bytes.IndexAny(target, " ?\r"); end >= 0 {
		target = target[:end]
	}
	return maphash.Bytes(s.seed, target)
}
