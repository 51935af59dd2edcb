package read

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"coatcheck/configs/rule"
)

// likelyNotation is a hint about a value in the wrong notation: what was meant, most
// probably. It may repeat the value, so it is not for one that came out of a variable.
func likelyNotation(err error, value string) string {
	switch {
	case errors.Is(err, errDuration):
		return likelyDuration(value)
	case errors.Is(err, errSize):
		return likelySize(value)
	case errors.Is(err, errPrefix) && rule.IsHostName(value):
		return "host names are not resolved here"
	}
	return ""
}

// looseDuration is what people write for a duration: the units of other programs.
var looseDuration = regexp.MustCompile(`(?i)^([0-9]+(?:\.[0-9]+)?) ?(ms|millis|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$`)

func likelyDuration(value string) string {
	value = strings.TrimSpace(value)
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return "unit missing: " + value + "s? " + value + "m?"
	}
	found := looseDuration.FindStringSubmatch(value)
	if found == nil {
		return ""
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[lower(found[2][0])]
	long := strings.ToLower(found[2])
	if strings.HasPrefix(long, "ms") || strings.HasPrefix(long, "milli") {
		unit = time.Millisecond
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if err != nil || n*float64(unit) > 87600*float64(time.Hour) { // longer than any key takes, and than a duration can be
		return ""
	}
	written := shortDuration(time.Duration(n * float64(unit)))
	switch long[0] {
	case 'd':
		return "days are not supported: " + value + " is " + written
	case 'w':
		return "weeks are not supported: " + value + " is " + written
	}
	return written
}

func lower(c byte) byte { return c | 0x20 }

// shortDuration is how a person writes d: 168h, not 168h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// looseSize is what people write for a size: decimal units, or one letter.
var looseSize = regexp.MustCompile(`(?i)^([0-9]+) ?([kmgt])(i?b)?$`)

func likelySize(value string) string {
	found := looseSize.FindStringSubmatch(strings.TrimSpace(value))
	if found == nil {
		return ""
	}
	return "did you mean " + found[1] + strings.ToUpper(found[2]) + "iB?"
}

// bareVariable is a text that is a variable for a shell, and text here.
var bareVariable = regexp.MustCompile(`^\$[A-Z][A-Z0-9_]*$`)

// isQuoted reports whether a value stands in quotes that are a part of it: Docker's
// --env-file, and a secret pasted with its quotes, do not take them off.
func isQuoted(value string) bool {
	return len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]
}

// misread returns what YAML makes of a number that is not written as JSON writes it,
// such as 0123456 (octal) or 1.10; "" where it is.
func misread(n *node) string {
	if n.kind != integer && n.kind != float {
		return ""
	}
	got, err := json.Marshal(n.scalar)
	if err != nil || string(got) == n.written {
		return ""
	}
	return string(got)
}

// asWritten is a number that is misread as it stands in the file: a number still where JSON
// writes numbers so (1.10), else text (0123456).
func asWritten(n *node) any {
	if json.Valid([]byte(n.written)) {
		return json.Number(n.written)
	}
	return n.written
}

// loneName is the name in a mapping that was meant to be a placeholder: {email} without
// quotes is YAML for a mapping with the key email.
func loneName(n *node) (string, bool) {
	if n.kind != table || len(n.entries) != 1 || !n.entries[0].value.bare {
		return "", false
	}
	return n.entries[0].key, true
}

// examples are hints for required keys, by the key's name.
var examples = map[string]string{
	"cert":       "cert: server.crt",
	"key":        "key: server.key",
	"keys":       `keys: ["${COATCHECK_KEY}"]`,
	"store":      "store: redis://localhost:6379/0",
	"upstreams":  "upstreams: {api: {url: https://api.example.net}}",
	"frontends":  `frontends: {shop: {origins: ["https://shop.example.com"], …}}`,
	"upstream":   "upstream: api",
	"fields":     "fields: [email, password]",
	"path":       "path: /auth/login",
	"request":    `request: {path: /auth/login, body: {email: "{email}", password: "{password}"}}`,
	"credential": "credential: {access_token: /access_token}",
	"client_id":  "client_id: the id that the provider gave this application",
}

// orList joins words with commas, and "or" before the last.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
