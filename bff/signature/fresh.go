package signature

import (
	"net/http"
	"strconv"
	"time"
)

// clock compares a taken value with the time.
type clock struct {
	name   string
	within time.Duration
	unit   string
}

// check refuses a time that is further than within from now, before or after.
func (c clock) check(written string, now time.Time) error {
	at, err := readTime(written, c.unit)
	if err != nil {
		return Malformed
	}
	if d := now.Sub(at); d > c.within || d < -c.within {
		return Stale
	}
	return nil
}

// readTime reads a time: digits alone for s and ms, at most 15 of them.
func readTime(written, unit string) (time.Time, error) {
	switch unit {
	case "rfc3339":
		return time.Parse(time.RFC3339Nano, written)
	case "http":
		return http.ParseTime(written)
	}
	if written == "" || len(written) > 15 || !isDigits(written) {
		return time.Time{}, Malformed
	}
	n, err := strconv.ParseInt(written, 10, 64)
	if unit == "ms" {
		return time.UnixMilli(n), err
	}
	return time.Unix(n, 0), err
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
