//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// report is the tables of a run, in Markdown, and how many goals were missed.
type report struct {
	strings.Builder
	missed int
}

// judge says how a figure stands to its goal; 0: it has none.
func (t *report) judge(is, most float64) string {
	switch {
	case most == 0:
		return ""
	case is <= most:
		return fmt.Sprintf("%.3g, held", most)
	}
	t.missed++
	return fmt.Sprintf("%.3g, missed", most)
}

// peers is the table of all proxies at the usual work.
func (t *report) peers(res *result) {
	fmt.Fprintf(t, "| %s | CPU µs/call | calls/s | p50 | p99 | RSS MB |\n|---|---|---|---|---|---|\n", res.work.title)
	for _, name := range res.rows {
		m := res.seen[name]
		middle := slices.SortedFunc(slices.Values(m), func(a, b measure) int { return int(a.rate - b.rate) })[len(m)/2]
		fmt.Fprintf(t, "| %s | %.1f | %.0f | %s | %s | %d |\n", titles[name], res.median(name), middle.rate, middle.p50, middle.p99, middle.resident>>10)
	}
	for _, name := range res.notRun {
		fmt.Fprintf(t, "| %s | not run | | | | |\n", titles[name])
	}
	fmt.Fprintf(t, "\n| ratio | this run | rounds | goal |\n|---|---|---|---|\n")
	for _, g := range goals {
		if middle, least, most, ok := res.ratio(g.row, g.beside); ok {
			fmt.Fprintf(t, "| %s / %s | %.2f | %.2f to %.2f | %s |\n", g.row, g.beside, middle, least, most, t.judge(middle, g.most))
		}
	}
	fmt.Fprintln(t)
}

// works is the table of all works, Coatcheck beside nginx.
func (t *report) works(all []*result) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(t, "| | Coatcheck, CPU | nginx, CPU | ratio | rounds | goal | p50, Coatcheck | p50, nginx |\n|---|---|---|---|---|---|---|---|\n")
	for _, res := range all {
		if len(res.seen["near"]) == 0 {
			continue
		}
		near := res.seen["near"][len(res.seen["near"])-1]
		middle, least, most, ok := res.ratio("near", "plain")
		if !ok {
			fmt.Fprintf(t, "| %s | %s | | | | | %s | |\n", res.work.title, cpu(res.median("near")), near.p50)
			continue
		}
		plain := res.seen["plain"][len(res.seen["plain"])-1]
		fmt.Fprintf(t, "| %s | %s | %s | %.2f | %.2f to %.2f | %s | %s | %s |\n", res.work.title, cpu(res.median("near")), cpu(res.median("plain")),
			middle, least, most, t.judge(middle, res.work.most), near.p50, plain.p50)
	}
	fmt.Fprintln(t)
}

// cpu is processor time of one call, given in µs.
func cpu(micros float64) string {
	if micros >= 10_000 {
		return fmt.Sprintf("%.2f s", micros/1e6)
	}
	return fmt.Sprintf("%.1f µs", micros)
}

// Marks between which a page holds what was measured last: of a part, those of its name.
const (
	begins       = "<!-- measured: make bench BENCH=\"-docs docs/benchmarks.md\" -->\n"
	ends         = "<!-- measured -->\n"
	callersBegin = "<!-- measured: make bench BENCH=\"-works callers -idle 0 -flying 0 -streams 0 -docs docs/benchmarks.md\" -->\n"
	callersEnd   = "<!-- measured: callers -->\n"
)

// into writes the tables into a page, in place of the last ones.
func (t *report) into(file, part string) error {
	from, to := begins, ends
	if part == "callers" {
		from, to = callersBegin, callersEnd
	}
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(page), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the tables", file)
	}
	return os.WriteFile(file, []byte(before+from+"\n"+t.String()+to+after), 0o644)
}
