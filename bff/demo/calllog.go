package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"coatcheck/bff/terminal"
)

// keptCalls is how many lines of the log the demo's attacker can look up.
const keptCalls = 500

// logged is one line of Coatcheck's log about a call. There is nothing secret in it.
type logged struct {
	N        int       `json:"n"`
	Time     time.Time `json:"time"`
	Level    string    `json:"level"`
	Message  string    `json:"msg"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Status   int       `json:"status"`
	Code     string    `json:"code"`
	Frontend string    `json:"frontend"`
	Session  string    `json:"session"`
	Request  string    `json:"request_id"`
	Millis   float64   `json:"duration_ms"`
}

// callLog passes the demo's log on, and remembers what it said of calls. On a terminal
// it writes them for people.
type callLog struct {
	out    io.Writer
	paint  *terminal.Paint // nil: JSON lines, as they came
	mu     sync.Mutex
	lines  []logged
	counts int
}

// Write implements [io.Writer]: one or more whole lines.
func (l *callLog) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		var call logged
		if json.Unmarshal(line, &call) != nil {
			continue
		}
		l.remember(call)
		if l.paint != nil {
			_, _ = io.WriteString(l.out, lineOf(l.paint, call))
		}
	}
	if l.paint != nil {
		return len(b), nil
	}
	return l.out.Write(b)
}

func (l *callLog) remember(call logged) {
	if call.Message != "call" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts++
	call.N = l.counts
	l.lines = append(l.lines, call)
	if extra := len(l.lines) - keptCalls; extra > 0 {
		l.lines = append([]logged(nil), l.lines[extra:]...)
	}
}

// since returns the calls after number n, and the number of the last.
func (l *callLog) since(n int) (lines []logged, last int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines = []logged{}
	for _, line := range l.lines {
		if line.N > n {
			lines = append(lines, line)
		}
	}
	return lines, l.counts
}

// await waits until calls that are known by their request ids were logged: a line is
// written a little after its answer.
func (l *callLog) await(ctx context.Context, ids []string) error {
	for {
		lines, _ := l.since(0)
		missing := slices.ContainsFunc(ids, func(id string) bool {
			return !slices.ContainsFunc(lines, func(line logged) bool { return line.Request == id })
		})
		if !missing {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lineOf is one line of the log for people; "" for what they need not see.
func lineOf(p *terminal.Paint, c logged) string {
	clock := p.As(terminal.Faint, c.Time.Format("15:04:05"))
	switch {
	case c.Message == "call":
		style := terminal.Green
		if c.Status >= 400 {
			style = terminal.Red
		}
		code := c.Code
		if code == "" {
			code = p.As(terminal.Faint, fmt.Sprintf("%.1f ms", c.Millis))
		}
		return strings.TrimRight(fmt.Sprintf("  %s  %-8s %-6s %-28s %s  %s", clock, c.Frontend, c.Method, c.Path, p.As(style, fmt.Sprint(c.Status)), code), " ") + "\n"
	case c.Level == "WARN" || c.Level == "ERROR":
		return fmt.Sprintf("  %s  %s\n", clock, p.As(terminal.Yellow, c.Message))
	}
	return ""
}
