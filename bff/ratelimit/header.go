package ratelimit

import (
	"strconv"
	"time"
)

// PolicyHeader is the value of RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-11): the quota q in a window of w seconds. A
// period that is no whole number of seconds is rounded up.
func (l Limit) PolicyHeader() string {
	return `"caller";q=` + strconv.Itoa(l.Calls) + ";w=" + seconds(l.Per)
}

// Header is the value of RateLimit (the same draft): r calls remain, and after t
// seconds more will. What this process knows of other replicas' calls is as old as its
// last question to the store.
func (d Decision) Header() string {
	wait := d.Reset
	if !d.Allowed {
		wait = d.RetryAfter
	}
	return `"caller";r=` + strconv.Itoa(max(d.Remaining, 0)) + ";t=" + seconds(wait)
}

// RetryAfterHeader is the value of Retry-After (RFC 9110 §10.2.3) of a refused call:
// whole seconds, at least one.
func (d Decision) RetryAfterHeader() string { return seconds(max(d.RetryAfter, time.Second)) }

// seconds rounds up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((max(d, 0)+time.Second-1)/time.Second), 10)
}
