package transcript_test

import (
	"fmt"
	"regexp"
	"strings"
)

// kind says whose words a block of a transcript holds.
type kind int

const (
	sent       kind = 1 << iota // by the browser
	received                    // by the browser
	asked                       // received by the API
	answered                    // sent by the API
	logged                      // by the program
	said                        // by the test
	everywhere = sent | received | asked | answered | logged | said
)

// rule replaces what differs from run to run: the first group of the pattern, in
// blocks of the kinds named.
type rule struct {
	in      kind
	pattern string
	name    string
	// numbered: each value has a number, so that one sees where it comes again.
	numbered bool
}

// volatile is every rule there is. Two more cannot be said by a pattern: addresses of
// sockets are replaced where they stand (play.addresses), and chunks are joined
// (joinChunks), because their boundaries are the network's.
var volatile = []rule{
	{received, `(?m)^Date: (.*?)\r$`, "date", false},
	{everywhere, `(?:=|^|\b)([A-Za-z0-9_-]{43})(?:[^A-Za-z0-9_=-]|$)`, "ticket", true},
	{received, `"authenticated":true,"frontend":"[^"]*","id":"([^"]*)"`, "session-id", true},
	{received, `\{"id":"([^"]*)","(?:current|created_at)"`, "session-id", true},
	{sent, `/bff/sessions/([A-Za-z0-9_-]{16,}) `, "session-id", true},
	{logged, `"path":"/bff/sessions/([A-Za-z0-9_-]{16,})"`, "session-id", true},
	{logged, `"session":"([^"]*)"`, "session-hash", true},
	{everywhere, `\b([0-9a-f]{32})\b`, "request-id", true},
	{received, `"(?:created_at|last_seen_at)":"([^"]*)"`, "time", false},
	{received, `"idle_expires_in":([0-9]{3,})`, "seconds", false},
	{received, `"idle_expires_in":<seconds>,"expires_in":([0-9]{3,})`, "seconds", false},
	{received, `(?m)^Coatcheck-Idle-Expires-In: ([0-9]{3,})\r$`, "seconds", false},
	{received, `(?m)^Retry-After: ([0-9]{3,})\r$`, "seconds", false}, // the throttle's; others are fixed
	{received, `(?m)^ETag: "([A-Za-z0-9_-]{16})"\r$`, "etag", true},  // of the program's own files
	{sent, `(?m)^If-None-Match: "([A-Za-z0-9_-]{16})"\r$`, "etag", true},
	{received | answered, `(?s)\r\n\r\n(.{1000,})`, "a-long-body", false}, // the program's own files
	// The administration's times have as many digits as they need.
	{received, `Content-Length: ([0-9]+)\r\n[^\[]*\[\{"id":"[^"]*","created_at"`, "length", false},
	{received, `(?m)^Content-Length: ([0-9]{4,})\r$`, "length", false},
	{logged, `"bytes_out":([0-9]{4,})`, "length", false},
	{logged, `"time":"([^"]*)"`, "time", false},
	{logged, `"(?:duration|upstream)_ms":([0-9.]+)`, "duration", false},
	{logged, `"error":"((?:[^"\\]|\\.)*)"`, "text", false}, // the operating system's words among others
}

// names replaces volatile parts by names, with one numbering for a whole transcript.
type names struct {
	rules   []compiled
	numbers map[string]map[string]string // by name and value
	counts  map[string]int
}

type compiled struct {
	rule
	*regexp.Regexp
}

// newNames has the rules, and one for each member of a log line that a scenario
// calls loose.
func newNames(loose []string) *names {
	n := &names{numbers: map[string]map[string]string{}, counts: map[string]int{}}
	for _, r := range volatile {
		n.rules = append(n.rules, compiled{r, regexp.MustCompile(r.pattern)})
	}
	for _, member := range loose {
		n.rules = append(n.rules, compiled{rule{logged, "", "number", false}, regexp.MustCompile(`"` + member + `":([0-9]+)`)})
	}
	return n
}

func (n *names) replace(in kind, text string) string {
	for _, r := range n.rules {
		if r.in&in == 0 {
			continue
		}
		var out strings.Builder
		from := 0
		for _, at := range r.FindAllStringSubmatchIndex(text, -1) {
			out.WriteString(text[from:at[2]])
			out.WriteString(n.of(r.rule, text[at[2]:at[3]]))
			from = at[3]
		}
		text = out.String() + text[from:]
	}
	return text
}

func (n *names) of(r rule, value string) string {
	if !r.numbered {
		return "<" + r.name + ">"
	}
	if strings.HasPrefix(value, "<") {
		return value // another rule has been here
	}
	if n.numbers[r.name] == nil {
		n.numbers[r.name] = map[string]string{}
	}
	if n.numbers[r.name][value] == "" {
		n.counts[r.name]++
		n.numbers[r.name][value] = fmt.Sprintf("<%s-%d>", r.name, n.counts[r.name])
	}
	return n.numbers[r.name][value]
}

// show makes bytes readable without loss: a line ends with CRLF where nothing is said,
// with a bare LF where it ends in \n, and \ at the end says that no line end follows.
// Other bytes that are not printable ASCII are \xNN; a backslash is \\.
func show(raw string) string {
	if raw == "" {
		return ""
	}
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			out.WriteByte('\n')
			i++
		case c == '\n':
			out.WriteString("\\n\n")
		case c == '\\':
			out.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	if !strings.HasSuffix(raw, "\n") {
		out.WriteString("\\\n")
	}
	return out.String()
}
