//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// measure is one row in one round.
type measure struct {
	cpu      float64 // µs a call
	calls    float64
	rate     float64 // calls a second
	p50, p99 string
	wall     time.Duration
	resident int // KiB
}

// result is what a work cost, by row, round by round.
type result struct {
	work   *work
	rows   []string
	notRun []string // their programs are missing
	seen   map[string][]measure
}

// cost lets all rows of a work do it, in interleaved rounds.
func (b *bench) cost(ctx context.Context, w *work) (*result, error) {
	res := &result{work: w, rows: w.only(b.rows, b.before != ""), seen: map[string][]measure{}}
	rows, running := map[string]row{}, len(b.processes)
	defer func() { b.stopLast(len(b.processes) - running) }()
	res.rows, res.notRun = b.peers.runnable(res.rows)
	for _, name := range res.rows {
		r, err := b.row(name, w.house)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", w.name, name, err)
		}
		rows[name] = r
	}
	for round := range b.rounds + 1 { // the first warms up
		for _, name := range res.rows {
			length := b.length
			if round == 0 {
				length = time.Second
			}
			m, err := w.load(ctx, b, rows[name], length)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", w.name, name, err)
			}
			if round > 0 {
				res.seen[name] = append(res.seen[name], m)
			}
		}
	}
	return res, nil
}

// ratio is the median of the rounds' ratios of two rows, with the least and the most; ok
// is false where one of them was not measured.
func (res *result) ratio(name, beside string) (middle, least, most float64, ok bool) {
	var ratios []float64
	for i := range min(len(res.seen[name]), len(res.seen[beside])) {
		if other := res.seen[beside][i].cpu; other > 0 {
			ratios = append(ratios, res.seen[name][i].cpu/other)
		}
	}
	if len(ratios) == 0 {
		return 0, 0, 0, false
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1], true
}

func (res *result) median(name string) float64 {
	return median(res.seen[name], func(m measure) float64 { return m.cpu })
}

func median(all []measure, of func(measure) float64) float64 {
	var v []float64
	for _, m := range all {
		v = append(v, of(m))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
