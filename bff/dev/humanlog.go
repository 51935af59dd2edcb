package dev

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/terminal"
)

// humanLog writes the process's log for a person at a terminal, one line for a call;
// elsewhere as it comes.
type humanLog struct {
	out    io.Writer
	paint  *terminal.Paint    // nil: JSON lines, as they come
	served func(admin string) // called once, when addresses can be opened
}

// Write implements [io.Writer]: one or more whole lines.
func (l *humanLog) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		fields := map[string]any{}
		if json.Unmarshal(line, &fields) != nil {
			continue
		}
		if fields["msg"] == "serving" && l.served != nil {
			l.served(text(fields["admin"]))
			l.served = nil
		}
		if l.paint != nil {
			_, _ = io.WriteString(l.out, l.human(fields))
		}
	}
	if l.paint != nil {
		return len(b), nil
	}
	return l.out.Write(b)
}

// human is one line of the log for people; "" for what they need not see.
func (l *humanLog) human(f map[string]any) string {
	at, _ := time.Parse(time.RFC3339Nano, text(f["time"]))
	clock := l.paint.As(terminal.Faint, at.Format("15:04:05"))
	switch text(f["msg"]) {
	case "serving":
		return ""
	case "call":
		return fmt.Sprintf("  %s  %s\n", clock, l.call(f))
	case "security":
		return fmt.Sprintf("  %s  %s\n", clock, l.paint.As(terminal.Blue, text(f["event"])+": "+text(f["outcome"])+rest(f, "event", "outcome", "frontend")))
	}
	style := terminal.Faint
	if level := f["level"]; level == "WARN" || level == "ERROR" {
		style = terminal.Yellow
	}
	return fmt.Sprintf("  %s  %s\n", clock, l.paint.As(style, text(f["msg"])+rest(f)))
}

// call is a call's line: what was asked, what came of it, and why.
func (l *humanLog) call(f map[string]any) string {
	status, _ := f["status"].(float64)
	style := terminal.Green
	if status >= 400 {
		style = terminal.Red
	}
	millis, _ := f["duration_ms"].(float64)
	what := fmt.Sprintf("%-8s %-6s %-32s %s  %s", text(f["frontend"]), text(f["method"]), text(f["path"]),
		l.paint.As(style, fmt.Sprint(int(status))), l.paint.As(terminal.Faint, fmt.Sprintf("%.1f ms", millis)))
	code := text(f["code"])
	switch {
	case code != "":
		what += "  " + code
	case status >= 400 && f["upstream_ms"] != nil:
		what += l.paint.As(terminal.Faint, "  the API's answer")
	}
	if why := strings.TrimPrefix(text(f["error"]), code+": "); why != "" {
		what += l.paint.As(terminal.Faint, ": "+why)
	}
	return what
}

// rest are the fields that a line has not shown, in the order of their names.
func rest(f map[string]any, shown ...string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !slices.Contains([]string{"time", "level", "msg", "request_id"}, name) && !slices.Contains(shown, name) {
			fmt.Fprintf(&b, "  %s=%s", name, text(f[name]))
		}
	}
	return b.String()
}

// text is a field's value; the log's own encoding has made it printable.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.Map(printable, v)
	}
	return fmt.Sprint(v)
}

// printable keeps what a caller sent from moving the terminal's cursor.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
		return '?'
	}
	return r
}
