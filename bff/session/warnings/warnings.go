// Package warnings keeps a flood of bad records from becoming a flood of lines: one a
// second for each kind. The rest is counted, and the next line of the kind says how many
// they were.
package warnings

import (
	"log/slog"
	"sync"
	"time"
)

// Log writes one line a second for each kind. Kinds are constants of the program, so
// there are few.
type Log struct {
	out     *slog.Logger
	elapsed func() time.Duration // reading of the local clock

	mu sync.Mutex
	by map[kind]*warned
}

// kind names what is warned of.
type kind struct {
	security bool
	name     string
}

type warned struct {
	at       time.Duration // reading of the local clock at the last line
	withheld uint64        // since the last line
}

// Every is how far the lines of one kind are apart.
const Every = time.Second

// Init makes w write to out; elapsed reads the local clock.
func (w *Log) Init(out *slog.Logger, elapsed func() time.Duration) {
	w.out, w.elapsed, w.by = out, elapsed, map[kind]*warned{}
}

// count counts one of k. It reports whether to log it, and how many were not.
func (w *Log) count(k kind, now time.Duration) (withheld uint64, logged bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x := w.by[k]
	if x == nil {
		x = &warned{at: now - Every}
		w.by[k] = x
	}
	if now-x.at < Every {
		x.withheld++
		return 0, false
	}
	withheld, x.at, x.withheld = x.withheld, now, 0
	return withheld, true
}

// due takes what was withheld a second ago or longer.
func (w *Log) due(now time.Duration) map[kind]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := map[kind]uint64{}
	for k, x := range w.by {
		if x.withheld > 0 && now-x.at >= Every {
			due[k], x.at, x.withheld = x.withheld, now, 0
		}
	}
	return due
}

// Warn logs what an operator should look at; what is a constant.
func (w *Log) Warn(what string, attrs ...any) { w.logOne(kind{name: what}, attrs) }

// SecurityEvent logs what no honest party causes; event is a constant.
func (w *Log) SecurityEvent(event string, attrs ...any) { w.logOne(kind{true, event}, attrs) }

func (w *Log) logOne(k kind, attrs []any) {
	withheld, logged := w.count(k, w.elapsed())
	if !logged {
		return
	}
	if withheld > 0 {
		attrs = append(attrs, slog.Uint64("withheld", withheld))
	}
	w.line(k, attrs)
}

// Withheld logs how many came after the last line of each kind.
func (w *Log) Withheld(now time.Duration) {
	for k, n := range w.due(now) {
		w.line(k, []any{slog.Uint64("withheld", n)})
	}
}

func (w *Log) line(k kind, attrs []any) {
	if k.security {
		w.out.Warn("security", append([]any{slog.String("event", k.name)}, attrs...)...)
		return
	}
	w.out.Warn(k.name, attrs...)
}
