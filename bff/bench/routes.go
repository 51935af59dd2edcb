//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// numbersOfRoutes are those that are compared; the first is what the others stand beside.
var numbersOfRoutes = []int{10, 100, 1000}

// mostForRoutes is the most that a call may cost with any number of routes, as a
// multiple of what it costs with the first.
const mostForRoutes = 1.05

// doRoutes is the table of what a call costs by the number of routes. The route in the
// middle is called. Differences are small, so there are many short rounds.
func (b *bench) doRoutes(ctx context.Context, t *report) error {
	running := len(b.processes)
	defer func() { b.stopLast(len(b.processes) - running) }()
	var all []variant
	for _, n := range numbersOfRoutes {
		r, err := b.row("near", house{routes: n - 1})
		if err != nil {
			return fmt.Errorf("%d routes: %w", n, err)
		}
		all = append(all, variant{strconv.Itoa(n), r, wrk(fmt.Sprintf("/other/%d/items", n/2), "")})
	}
	res, err := b.compare(ctx, all, 4*b.rounds, max(time.Second, b.length/4))
	if err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	t.routes(all, res)
	return nil
}

func (t *report) routes(all []variant, res *result) {
	fmt.Fprintf(t, "| routes, %d rounds | CPU µs/call | calls/s | RSS MB | beside %s | rounds | goal |\n|---|---|---|---|---|---|---|\n", len(res.seen[all[0].name]), all[0].name)
	for i, v := range all {
		seen := res.seen[v.name]
		fmt.Fprintf(t, "| %s | %.1f | %.0f | %d |", v.name, res.median(v.name), median(seen, func(m measure) float64 { return m.rate }), memoryOf(seen)>>10)
		if i == 0 {
			fmt.Fprintln(t, " | | |")
			continue
		}
		middle, least, most, _ := res.ratio(v.name, all[0].name)
		fmt.Fprintf(t, " %.2f | %.2f to %.2f | %s |\n", middle, least, most, t.judge(middle, mostForRoutes))
	}
	fmt.Fprintln(t)
}

// memoryOf is the most that was resident, in KiB.
func memoryOf(seen []measure) int {
	return slices.MaxFunc(seen, func(a, b measure) int { return a.resident - b.resident }).resident
}
