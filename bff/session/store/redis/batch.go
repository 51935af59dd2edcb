package redis

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

// batches is how many batches of questions may be under way at once: one would let
// a node of a cluster that hangs hold up all others, many would leave them small.
const batches = 2

// gets gathers the questions for single values that come while others are under way,
// and sends them together: with many calls at work the system calls of one question
// cost more than all else about it. A question that meets no other goes out at once,
// so that nobody waits for company, and nothing is kept of any answer.
//
// There is no goroutine for it. Who finds a place free leads: it sends what waits and
// then makes the first of those that came meanwhile lead.
type gets struct {
	patience
	conn redis.UniversalClient

	mu      sync.Mutex
	leading int
	waiting []*get
}

// get is one question.
type get struct {
	key    string
	batch  []*get        // what it leads; set under mu
	wake   chan struct{} // once: lead, or the answer is there
	answer []byte
	err    error
}

// do asks for key; a nil value without an error says that nothing is there. ctx ends
// the waiting of this caller only, its deadline apart, which a batch shares.
func (g *gets) do(ctx context.Context, key string) ([]byte, error) {
	mine := &get{key: key}
	if !g.lead(mine) {
		select {
		case <-mine.wake:
		case <-ctx.Done():
			if g.leave(mine) {
				return nil, ctx.Err()
			}
		}
	}
	if mine.batch != nil {
		g.ask(mine.batch)
	}
	return mine.answer, mine.err
}

// errFault is what those hear whose question ended in a fault of the program: nothing is
// known of their values, least of all that there are none.
var errFault = errors.New("the question ended in a fault")

// ask has a batch sent, and lets the next one begin. Those who wait go on whatever happens.
func (g *gets) ask(batch []*get) {
	defer g.next()
	defer func() {
		for _, one := range batch[1:] {
			one.wake <- struct{}{}
		}
	}()
	for _, one := range batch {
		one.err = errFault
	}
	g.send(batch)
}

// lead reports whether mine goes out at once; else it waits.
func (g *gets) lead(mine *get) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leading < batches {
		g.leading++
		mine.batch = []*get{mine}
		return true
	}
	mine.wake = make(chan struct{}, 1)
	g.waiting = append(g.waiting, mine)
	return false
}

// leave gives mine up, unless others depend on it by now.
func (g *gets) leave(mine *get) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.waiting {
		if other == mine {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			break
		}
	}
	return mine.batch == nil
}

// next makes the one that has waited longest lead all that wait.
func (g *gets) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.leading--
		return
	}
	first := g.waiting[0]
	first.batch, g.waiting = g.waiting, nil
	first.wake <- struct{}{}
}

// send asks a whole batch.
func (g *gets) send(batch []*get) {
	ctx, cancel := g.bounded(context.Background())
	defer cancel()
	if len(batch) == 1 {
		batch[0].take(g.conn.Get(ctx, batch[0].key))
		return
	}
	answers := make([]*redis.StringCmd, len(batch))
	_, _ = g.conn.Pipelined(ctx, func(p redis.Pipeliner) error { // each answer has its own error
		for i, one := range batch {
			answers[i] = p.Get(ctx, one.key)
		}
		return nil
	})
	for i, one := range batch {
		one.take(answers[i])
	}
}

func (one *get) take(answer *redis.StringCmd) {
	one.answer, one.err = answer.Bytes()
	if errors.Is(one.err, redis.Nil) {
		one.answer, one.err = nil, nil
	}
}
