//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// measure is one row in one round.
type measure struct {
	cpu      float64 // µs a call
	rate     float64 // calls a second
	p50, p99 string
	resident int // KiB
}

// cost prints the table of what a call costs.
func (b *bench) cost(ctx context.Context) (missed int, err error) {
	rows := map[string]row{}
	for _, name := range b.rows {
		if rows[name], err = b.row(name); err != nil {
			return 0, err
		}
	}
	seen := map[string][]measure{}
	for round := range b.rounds + 1 { // the first warms up
		for _, name := range b.rows {
			length := b.length
			if round == 0 {
				length = time.Second
			}
			m, err := rows[name].load(ctx, length, b.connections)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
			if round > 0 {
				seen[name] = append(seen[name], m)
			}
		}
	}
	fmt.Printf("%-40s %12s %9s %9s %9s %7s   (%d rounds of %s, %d connections; medians)\n", "", "cpu µs/call", "calls/s", "p50", "p99", "RSS MB",
		b.rounds, b.length, b.connections)
	for _, name := range b.rows {
		m := seen[name]
		middle := slices.SortedFunc(slices.Values(m), func(a, b measure) int { return int(a.rate - b.rate) })[len(m)/2]
		fmt.Printf("%-40s %12.1f %9.0f %9s %9s %7d\n", titles[name], median(m, func(m measure) float64 { return m.cpu }),
			middle.rate, middle.p50, middle.p99, middle.resident>>10)
	}
	for _, g := range goals {
		var ratios []float64
		for i := range min(len(seen[g.row]), len(seen[g.beside])) {
			ratios = append(ratios, seen[g.row][i].cpu/seen[g.beside][i].cpu)
		}
		if len(ratios) == 0 {
			continue
		}
		slices.Sort(ratios)
		ratio := ratios[len(ratios)/2]
		fmt.Printf("%s/%s: %.2f (%.2f to %.2f; goal at most %.2f) %s\n", g.row, g.beside, ratio, ratios[0], ratios[len(ratios)-1], g.most, verdict(ratio <= g.most))
		if ratio > g.most {
			missed++
		}
	}
	return missed, nil
}

func median(all []measure, of func(measure) float64) float64 {
	var v []float64
	for _, m := range all {
		v = append(v, of(m))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

var (
	calls   = regexp.MustCompile(`(\d+) requests in`)
	rate    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	latency = regexp.MustCompile(`\s+(50|99)%\s+(\S+)`)
	failed  = regexp.MustCompile(`Non-2xx|Socket errors`)
)

// load lets wrk call for a while, from core 0.
func (r row) load(ctx context.Context, length time.Duration, connections int) (measure, error) {
	before, err := r.spent()
	if err != nil {
		return measure{}, err
	}
	_, port, _ := net.SplitHostPort(r.address)
	header, path := "Cookie: "+r.cookie, "/api/items"
	if r.path != "" {
		header, path = r.header, r.path
	}
	args := []string{"-c", "0", "wrk", "-t1", "-c", strconv.Itoa(connections), "-d", fmt.Sprintf("%.0fs", length.Seconds()),
		"--latency", "-H", "Host: localhost:" + port, "-H", header}
	if r.script != "" {
		args = append(args, "-s", r.script)
	}
	out, err := exec.CommandContext(ctx, "taskset", append(args, "http://"+r.address+path)...).CombinedOutput()
	if err != nil {
		return measure{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	if failed.Match(out) {
		return measure{}, fmt.Errorf("not every call was answered 200\n%s", out)
	}
	after, err := r.spent()
	if err != nil {
		return measure{}, err
	}
	found, speed, times := calls.FindSubmatch(out), rate.FindSubmatch(out), latency.FindAllSubmatch(out, -1)
	if found == nil || speed == nil || len(times) != 2 {
		return measure{}, errors.New("wrk says: " + string(out))
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil || n == 0 {
		return measure{}, errors.Join(err, errors.New("no calls"))
	}
	m := measure{cpu: float64((after - before).Microseconds()) / n, p50: string(times[0][2]), p99: string(times[1][2])}
	if m.rate, err = strconv.ParseFloat(string(speed[1]), 64); err != nil {
		return measure{}, err
	}
	m.resident, err = r.resident()
	return m, err
}
