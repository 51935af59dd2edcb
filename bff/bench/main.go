//go:build linux

// Command bench measures what Coatcheck costs, beside what people would use instead,
// in one run on one machine:
//
//	make bench                        # builds, installs nginx, Lua, Redis, wrk; every measure
//	go -C bff/bench run . -bff ../../coatcheck -rounds 5 -only near,plain
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
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// goal is the most that one row may cost as a multiple of another.
type goal struct {
	row, beside string
	most        float64
}

var goals = []goal{{"near", "plain", 1.5}, {"near", "lua", 0.85}, {"cold", "lua", 1.5}, {"near", "go", 0.25}, {"before", "plain", 1.5}, {"near", "before", 1}}

// KiB that one connection may hold.
const (
	idleGoal   = 15.0
	streamGoal = 40.0
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "peer":
			exit(servePeer(os.Args[2:]))
		case "api":
			exit(serveAPI(os.Args[2:]))
		case "soak":
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			exit(runSoak(ctx, os.Args[2:]))
		}
	}
	b := bench{}
	flag.StringVar(&b.program, "bff", "./coatcheck", "the `program` under test")
	flag.StringVar(&b.before, "before", "", "an earlier build of the `program`, for the row \"before\"")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds of the cost measure")
	flag.DurationVar(&b.length, "length", 4*time.Second, "length of one row in one round")
	flag.IntVar(&b.connections, "connections", 32, "connections of the load")
	only := flag.String("only", "near,cold,plain,lua,go", "rows of the cost measure, by comma; none to leave it out")
	flag.IntVar(&b.idle, "idle", 10000, "idle connections of the memory measure; 0 to leave it out")
	flag.IntVar(&b.streams, "streams", 1000, "event streams of the memory measure; 0 to leave it out")
	gate := flag.Bool("gate", false, "exit 1 where a goal is missed")
	flag.Parse()
	if *only != "none" {
		b.rows = strings.Split(*only, ",")
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
	program, before string
	rounds          int
	length          time.Duration
	connections     int
	rows            []string
	idle, streams   int
	dir             string
	processes       []*process
	api, redis, own string // addresses, and this program's file
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
	if len(b.rows) > 0 {
		n, err := b.cost(ctx)
		if err != nil {
			return 0, err
		}
		missed += n
	}
	for _, m := range []struct {
		what, path string
		count      int
		most       float64
	}{{"idle connections", "/api/items", b.idle, idleGoal}, {"event streams", "/api/events", b.streams, streamGoal}} {
		if m.count == 0 {
			continue
		}
		kib, err := b.memory(ctx, m.path, m.count)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", m.what, err)
		}
		fmt.Printf("%d %s: %.1f KiB each (goal at most %.0f) %s\n", m.count, m.what, kib, m.most, verdict(kib <= m.most))
		if kib > m.most {
			missed++
		}
	}
	return missed, ctx.Err()
}

// prepare finds the programs and makes a folder; end removes it, and ends what was started.
func (b *bench) prepare() (err error) {
	if b.program, err = filepath.Abs(b.program); err != nil {
		return err
	}
	if b.before != "" {
		if b.before, err = filepath.Abs(b.before); err != nil {
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

func (b *bench) end() {
	b.stop()
	_ = os.RemoveAll(b.dir)
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "MISSED"
}
