package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// Layout of what a trace tells: lines for a terminal of 80 columns, without what is
// the same in every exchange.
const (
	columns  = 80
	mostRows = 60 // of one body
)

// block tells JSON behind a label: in the same line where it fits, else below it, one
// value a line.
func (t *Trial) block(prefix, label string, text []byte) {
	if one := prefix + label + string(text); len(one) <= columns {
		t.line("%s", one)
		return
	}
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		t.line("%s", prefix+label+string(text))
		return
	}
	t.line("%s", prefix+strings.TrimSuffix(label, " "))
	rows := strings.Split(b.String(), "\n")
	for i, row := range rows {
		if i == mostRows {
			t.line("%s", fmt.Sprintf("%s  … and %d lines more", prefix, len(rows)-i))
			return
		}
		t.line("%s", prefix+"  "+row)
	}
}

// names tells a list of names, in as many lines as it needs.
func (t *Trial) names(prefix, label string, names []string) {
	row := prefix + label
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if len(row)+1+len(name) > columns && i > 0 {
			t.line("%s", row)
			row = prefix + strings.Repeat(" ", len(label))
		}
		row += " " + name
	}
	if len(names) > 0 {
		t.line("%s", row)
	}
}

// fields tells headers: those that matter with what may be seen of them, of the
// others the names.
func (t *Trial) fields(prefix, others string, h http.Header, matters func(name string) bool) {
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !matters(name) {
			rest = append(rest, name)
			continue
		}
		for _, text := range h[name] {
			t.line("%s%s: %s", prefix, name, shownHeader(name, text))
		}
	}
	t.names(prefix, others, rest)
}

// isAlwaysSent tells headers that every request has, unless its mapping says otherwise.
func isAlwaysSent(q signin.Question, name string) bool {
	for _, list := range []mapping.Headers{q.Send.Headers, mapping.SortHeaders(q.Request.Headers)} {
		for _, p := range list {
			if http.CanonicalHeaderKey(p.Name) == name {
				return false
			}
		}
	}
	switch name {
	case "Accept", "Content-Type", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id":
		return true
	}
	return false
}

// mayMatter tells headers of a response that a mapping could have a use for.
func mayMatter(name string) bool {
	switch name {
	case "Content-Type", "Location", "Retry-After", "Set-Cookie", "Www-Authenticate":
		return true
	}
	return isSecretKey(name) || isEndKey(name) && name != "Expires" || strings.Contains(strings.ToLower(name), "error")
}
