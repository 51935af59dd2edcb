//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// variant is one of several Coatchecks that differ in one thing, or one way to call it.
type variant struct {
	name string
	row  row
	load func(context.Context, *bench, row, time.Duration) (measure, error)
}

// compare lets all variants do their work in interleaved rounds. The ratios of its result
// tell what the one thing costs.
func (b *bench) compare(ctx context.Context, all []variant, rounds int, length time.Duration) (*result, error) {
	res := &result{seen: map[string][]measure{}}
	for round := range rounds + 1 { // the first warms up
		for _, v := range all {
			during := length
			if round == 0 {
				during = time.Second
			}
			m, err := v.load(ctx, b, v.row, during)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
			if round > 0 {
				res.seen[v.name] = append(res.seen[v.name], m)
			}
		}
	}
	return res, nil
}
