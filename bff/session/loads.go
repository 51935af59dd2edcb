package session

import (
	"context"
	"sync"
	"time"
)

// loads are the questions to the store that are under way.
type loads struct {
	mu      sync.Mutex
	running map[hash]*loading
}

// loading is one question: epoch and asked are of the moment before it was sent.
type loading struct {
	epoch uint64
	asked time.Duration
	done  chan struct{}
	value []byte
	err   error
}

func (l *loads) init() { l.running = map[hash]*loading{} }

// join returns the question under way if it is fresh enough, else mine, which
// others can join from now on.
func (l *loads) join(h hash, mine *loading, oldest time.Duration) *loading {
	l.mu.Lock()
	defer l.mu.Unlock()
	if running := l.running[h]; running != nil && running.asked >= oldest && running.epoch == mine.epoch {
		return running
	}
	l.running[h] = mine
	return mine
}

func (l *loads) finish(h hash, mine *loading) {
	l.mu.Lock()
	if l.running[h] == mine {
		delete(l.running, h)
	}
	l.mu.Unlock()
	close(mine.done)
}

// fetch asks the store for a record. Where a near cache is allowed, those who
// come while a question is under way share its answer, so that a page's forty
// calls after a pause ask once: it is no older than what the near cache may say.
func (f *finder) fetch(ctx context.Context, o *settings, h hash) (*loading, error) {
	now := f.clock.Elapsed()
	mine := &loading{epoch: f.near.Epoch(h), asked: now}
	if o.near > 0 {
		mine.done = make(chan struct{})
		if l := f.loads.join(h, mine, now-o.near); l != mine {
			select {
			case <-l.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if l.err == nil {
				return l, nil
			}
			mine.done = nil // the other's failure, perhaps of its caller leaving, is not ours
		}
	}
	if mine.done != nil {
		mine.err = context.Canceled // where the question ends in a fault: those who wait ask themselves
		defer f.loads.finish(h, mine)
	}
	mine.value, mine.err = f.store.Load(ctx, f.key(h))
	return mine, mine.err
}
