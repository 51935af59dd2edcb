//go:build linux

// Command bench measures what Coatcheck costs, beside what people would use instead,
// in one run on one machine:
//
//	make bench                        # builds, installs nginx, Lua, Redis, wrk; every measure
//	go -C bff/bench run . -bff ../../coatcheck -rounds 5 -only near,plain -works 1k,post
//	make bench BENCH="-before OLD -works 1k"   # a build beside an earlier one
//	make soak                         # 30 minutes of everything at once; does it grow?
//
// What counts is the processor time (user and system) that a proxy's processes spend
// per call: throughput on shared cores says little. Every proxy runs alone on core 1;
// load, API and Redis share core 0. Rounds are interleaved, so that a machine that slows
// down slows everybody, and ratios are taken round by round. docs/benchmarks.md has the
// figures and how to read them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// goal is the most that one row may cost as a multiple of another.
type goal struct {
	row, beside string
	most        float64
}

var goals = []goal{{"near", "plain", 1.4}, {"near", "lua", 0.75}, {"cold", "lua", 1.2}, {"socket", "cold", 0}, {"near", "go", 0.25}, {"near", "haproxy", 0}, {"near", "caddy", 0},
	{"near", "oauth2-proxy", 0.1}, {"before", "plain", 0}, {"near", "before", 0}}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "peer":
			exit(servePeer(os.Args[2:]))
		case "api":
			exit(serveAPI(os.Args[2:]))
		case "load":
			exit(runLoad(os.Args[2:]))
		case "soak":
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			exit(runSoak(ctx, os.Args[2:]))
		}
	}
	b := bench{rows: map[string]bool{}}
	flag.StringVar(&b.program, "bff", "./coatcheck", "the `program` under test")
	flag.StringVar(&b.before, "before", "", "an earlier build of the `program`, for the row \"before\"")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds of the cost measure")
	flag.DurationVar(&b.length, "length", 3*time.Second, "length of one row in one round")
	flag.IntVar(&b.connections, "connections", 32, "connections of the load")
	flag.StringVar(&b.peers.oauth2Proxy, "oauth2-proxy", ".tools/oauth2-proxy", "`program` of the row \"oauth2-proxy\"; where it is missing, that row is not run")
	flag.StringVar(&b.peers.provider, "provider", ".tools/provider", "`program` of web/e2e/provider, at which oauth2-proxy signs in")
	only := flag.String("only", "near,cold,socket,plain,lua,go,haproxy,caddy,oauth2-proxy,before", "rows of the cost measure, by comma")
	does := flag.String("works", "all", "works of the cost measure, by comma, callers, routes and sessions among them; all, or none")
	numbers := flag.String("sessions", "10000,100000", "how many sessions Redis holds in the measure of sessions, by comma; a million takes some minutes and 1.5 GB more")
	flag.IntVar(&b.idle, "idle", 10000, "idle connections of the memory measure; 0 to leave it out")
	flag.IntVar(&b.flying, "flying", 8000, "calls in flight of the memory measure; 0 to leave it out")
	flag.IntVar(&b.streams, "streams", 1000, "event streams of the memory measure; 0 to leave it out")
	gate := flag.Bool("gate", false, "exit 1 where a goal is missed")
	flag.StringVar(&b.docs, "docs", "", "write the tables into this `page`, too")
	flag.Parse()
	for name := range strings.SplitSeq(*only, ",") {
		b.rows[name] = true
	}
	b.works = strings.Split(*does, ",")
	var err error
	if b.sessions, err = counts(*numbers); err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	missed, err := b.run(ctx)
	stop()
	if err == nil && *gate && missed > 0 {
		err = fmt.Errorf("%d goals missed", missed)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bench is one run.
type bench struct {
	place
	program, before       string
	peers                 peers
	docs                  string
	rounds                int
	length                time.Duration
	connections           int
	rows                  map[string]bool
	works                 selection
	sessions              []int
	idle, flying, streams int
	own, redis            string // this program's file, and addresses
	api, apiTLS, ownAPI   string
}

// run prints the tables, and tells how many goals were missed.
func (b *bench) run(ctx context.Context) (missed int, err error) {
	if err := b.prepare(); err != nil {
		return 0, err
	}
	defer b.end()
	if err := b.neighbours(); err != nil {
		return 0, err
	}
	var t report
	fmt.Fprintf(&t, "%d rounds of %s, %d connections; medians, and ratios round by round.\n\n", b.rounds, b.length, b.connections)
	if err := b.doWorks(ctx, &t); err != nil {
		return 0, err
	}
	if b.works.include("routes") {
		if err := b.doRoutes(ctx, &t); err != nil {
			return 0, err
		}
	}
	if b.works.include("sessions") {
		if err := b.doSessions(ctx, &t); err != nil {
			return 0, err
		}
	}
	if err := b.memories(ctx, &t); err != nil {
		return 0, err
	}
	var programs report
	if b.works.include("callers") {
		if err := b.doCallers(ctx, &programs); err != nil {
			return 0, err
		}
	}
	fmt.Print(t.String(), programs.String())
	if b.docs != "" {
		err = b.write(&t, &programs)
	}
	return t.missed + programs.missed, errors.Join(err, ctx.Err())
}

// selection names the works that were asked for, or all.
type selection []string

// include reports whether a work was asked for.
func (s selection) include(name string) bool {
	return slices.Contains(s, "all") || slices.Contains(s, name)
}

// write writes what was measured into the page; what was not keeps its last figures.
func (b *bench) write(t, programs *report) (err error) {
	if slices.Contains(b.works, "all") {
		err = t.into(b.docs, "")
	}
	if b.works.include("callers") {
		err = errors.Join(err, programs.into(b.docs, "callers"))
	}
	return err
}

func (b *bench) doWorks(ctx context.Context, t *report) error {
	var all []*result
	for i := range works {
		w := &works[i]
		if !b.works.include(w.name) {
			continue
		}
		res, err := b.cost(ctx, w)
		if err != nil {
			return err
		}
		if fmt.Fprintln(os.Stderr, w.title); w.name == usual {
			t.peers(res)
		}
		all = append(all, res)
	}
	t.works(all)
	return nil
}

// memories is the table of what connections hold.
func (b *bench) memories(ctx context.Context, t *report) error {
	if b.idle+b.flying+b.streams == 0 {
		return nil
	}
	fmt.Fprintf(t, "| | KiB each | goal |\n|---|---|---|\n")
	for _, m := range []struct {
		what, path string
		count      int
		most       float64
	}{{"idle connections, each after one call", "/api/items", b.idle, 14}, {"calls in flight", "/api/slow", b.flying, 12}, {"event streams, an event a second", "/api/events", b.streams, 25}} {
		if m.count == 0 {
			continue
		}
		kib, err := b.memory(ctx, m.path, m.count)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		fmt.Fprintf(t, "| %d %s | %.1f | %s |\n", m.count, m.what, kib, t.judge(kib, m.most))
	}
	fmt.Fprintln(t)
	return nil
}

// prepare finds the programs and makes a folder; end removes it, and ends what was started.
func (b *bench) prepare() (err error) {
	for _, program := range []*string{&b.program, &b.before, &b.peers.oauth2Proxy, &b.peers.provider} {
		if *program == "" {
			continue
		}
		if *program, err = filepath.Abs(*program); err != nil {
			return err
		}
	}
	if b.own, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "coatcheck-bench"); err != nil {
		return err
	}
	return os.Chmod(b.dir, 0o755) // nginx's workers are another user
}
