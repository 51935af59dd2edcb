package throttle

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// patience is how long a sign-in waits for others that are under way.
	patience = 20 * time.Second
	// lookEvery is how often it asks again by itself: other replicas' sign-ins end
	// without a word.
	lookEvery = 250 * time.Millisecond
	// crowded is what Retry-After says where patience was not enough.
	crowded = time.Second
)

// AttemptInTurn is [Throttle.Attempt], but waits where a limit is reached only because
// other sign-ins are under way: when many people of one address sign in at the same
// moment, each right password gets its turn. Guesses stay within the limits, because no
// more of them are at the API at once than may still fail.
func (t Throttle) AttemptInTurn(ctx context.Context, frontend, account string, address netip.Addr, l Limits) (*Attempt, error) {
	until := time.Now().Add(patience)
	for {
		a, err := t.Attempt(ctx, frontend, account, address, l)
		var full ThrottledError
		switch {
		case !errors.As(err, &full):
			return a, err
		case !full.open:
			t.turns.next([]string{full.full}) // whoever waits behind this one is to hear the same
			return nil, err
		case !t.turns.wait(ctx, full.full, until):
			return nil, ThrottledError{RetryAfter: crowded, full: full.full, of: full.of, open: true}
		}
	}
}

// turns are the sign-ins of this process that wait, by the count that is full, in the
// order in which they came.
type turns struct {
	mu     sync.Mutex
	queues map[string][]chan struct{}
}

// wait returns when it may be worth asking again; false: it took too long.
func (t *turns) wait(ctx context.Context, key string, until time.Time) bool {
	turn := make(chan struct{}, 1)
	t.mu.Lock()
	t.queues[key] = append(t.queues[key], turn)
	t.mu.Unlock()
	left := time.Until(until)
	timer := time.NewTimer(min(left, lookEvery))
	defer timer.Stop()
	select {
	case <-turn:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	t.leave(key, turn)
	return left > lookEvery && ctx.Err() == nil
}

// leave takes a waiter out. Where its turn came in the same moment, it is passed on.
func (t *turns) leave(key string, turn chan struct{}) {
	t.mu.Lock()
	queue := t.queues[key]
	at := slices.Index(queue, turn)
	if at >= 0 {
		t.set(key, slices.Delete(queue, at, at+1))
	}
	t.mu.Unlock()
	if at < 0 {
		t.next([]string{key})
	}
}

// next wakes whoever has waited longest for each of keys.
func (t *turns) next(keys []string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if queue := t.queues[key]; len(queue) > 0 {
			queue[0] <- struct{}{}
			t.set(key, queue[1:])
		}
	}
}

func (t *turns) set(key string, queue []chan struct{}) {
	if len(queue) == 0 {
		delete(t.queues, key)
		return
	}
	t.queues[key] = queue
}
