package redis

import (
	"context"
	"errors"
)

// AskBroken asks a Redis whose client has a fault, for so many times, one after the other.
// It returns how often the fault came up; the others wait for a place that nobody frees.
func AskBroken(times int) (faults int) {
	g := new(gets)
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nobody waits
	for range times {
		func() {
			defer func() {
				if recover() != nil {
					faults++
				}
			}()
			_, _ = g.do(ctx, "key")
		}()
	}
	return faults
}

// ShareBroken asks it for two values together, and reports what the second caller hears:
// whether it is woken, and that nothing is known.
func ShareBroken() (woken, unknown bool) {
	g := &gets{leading: 1}
	batch := []*get{{}, {wake: make(chan struct{}, 1)}}
	func() {
		defer func() { _ = recover() }()
		g.ask(batch)
	}()
	return len(batch[1].wake) == 1, errors.Is(batch[1].err, errFault)
}
