package pages

import (
	"math"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/bff/routing"
)

// part is what of a file is sent: the bytes from first to before end.
type part struct{ first, end int64 }

func (p part) length() int64 { return p.end - p.first }

// wanted reads the Range of a GET (RFC 9110 §14.2), the only method that it is defined
// for. One part is sent as one; of several, and of what cannot be read, the whole file
// is the answer. ok is false where nothing of the file is asked for: 416.
func wanted(r *routing.Request, size int64, v http1.Validators) (p part, partial, ok bool) {
	whole := part{0, size}
	value, n := r.Head.Get("range")
	if n != 1 || !r.IsGet() || size == 0 || !v.SameAsBefore(r.Head) {
		return whole, false, true
	}
	parts, readable := readRanges(string(value), size)
	switch {
	case !readable || len(parts) > 1:
		return whole, false, true
	case len(parts) == 0:
		return whole, false, false
	}
	return parts[0], true, true
}

// readRanges reads "bytes=0-4, -3". Parts that are behind the end are left out.
func readRanges(value string, size int64) (parts []part, readable bool) {
	unit, list, _ := strings.Cut(value, "=")
	if !http1.EqualFold([]byte(unit), "bytes") {
		return nil, false
	}
	for spec := range strings.SplitSeq(list, ",") {
		if spec = strings.Trim(spec, " \t"); spec == "" {
			continue
		}
		p, ok := readRange(spec, size)
		if !ok {
			return nil, false
		}
		readable = true
		if p.first < size && p.length() > 0 {
			parts = append(parts, p)
		}
	}
	return parts, readable
}

func readRange(spec string, size int64) (part, bool) {
	first, last, dash := strings.Cut(spec, "-")
	a, hasA := decimal(first)
	b, hasB := decimal(last)
	switch {
	case !dash, !hasA && first != "", !hasB && last != "", !hasA && !hasB, hasA && hasB && b < a:
		return part{}, false
	case !hasA: // the last b bytes
		return part{max(0, size-b), size}, true
	case !hasB:
		return part{a, size}, true
	}
	return part{a, min(b, size-1) + 1}, true
}

// decimal reads digits only. What is too large for an int64 is as large as one can be.
func decimal(s string) (n int64, ok bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if digit := int64(c - '0'); n > (math.MaxInt64-digit)/10 {
			n = math.MaxInt64
		} else {
			n = 10*n + digit
		}
	}
	return n, s != ""
}
