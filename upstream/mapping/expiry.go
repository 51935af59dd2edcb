package mapping

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of a credential's places that are no values but say when it expires.
const (
	expiresIn        = "expires_in"
	expiresAt        = "expires_at"
	refreshExpiresIn = "refresh_expires_in"
	refreshExpiresAt = "refresh_expires_at"
)

// IsExpiry reports whether name is a key of a credential that says when it expires. Such
// a key is no value that could be put anywhere.
func IsExpiry(name string) bool {
	switch name {
	case expiresIn, expiresAt, refreshExpiresIn, refreshExpiresAt:
		return true
	}
	return false
}

// maxLifetime bounds how long a token may say it lives. What says more says nothing: it
// catches milliseconds that were taken for seconds, and tokens made to outlive everybody.
const maxLifetime = 10 * 365 * 24 * time.Hour

// maxRefreshLifetime bounds the same for refresh tokens, some of which are made to outlive
// everybody, within what a [time.Duration] can say.
const maxRefreshLifetime = 100 * 365 * 24 * time.Hour

// clockSlack is how far an API's clock may be from the one that reads it before a time
// left, which needs no clock, counts alone.
const clockSlack = time.Minute

// lastDate is the end of the year 9999, the last that RFC 3339 can write. A Unix
// time behind it counts other units than the mapping says.
const lastDate = 253402300799

// expires returns when the access token of a ends, zero where nothing says: the earliest of
// what the places say and of a JWT's own exp. Where a time left is given, which is counted
// by no clock, a JWT's exp by a clock that disagrees, and a date that is past, count for
// nothing. It fails where the token has ended by every clock at hand.
func (c *Places) expires(a *Response, token string, now time.Time) (time.Time, error) {
	left, date, exp := c.left(a, expiresIn, now, maxLifetime), c.date(a, expiresAt, now, maxLifetime), jwtExpiry(token)
	if exp.After(now.Add(maxLifetime)) {
		exp = time.Time{}
	}
	if !left.IsZero() {
		if date.Before(now) {
			date = time.Time{}
		}
		if exp.Sub(left).Abs() > clockSlack {
			exp = time.Time{}
		}
		return earliest(left, earliest(date, exp)), nil
	}
	end := earliest(after(date, now), after(exp, now))
	if end.IsZero() {
		end = a.byItsClock(now, date, exp)
	}
	if end.IsZero() && !(date.IsZero() && exp.IsZero()) {
		return end, Invalid("access token has ended already; the API's clock may be behind, which check --online shows")
	}
	return end, nil
}

// byItsClock is the earliest of ends that are past here, but not by the clock of an API
// that is behind, which its answer's Date tells; zero where there is none. What is left by
// that clock counts from now.
func (a *Response) byItsClock(now time.Time, ends ...time.Time) (end time.Time) {
	sent, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil || now.Sub(sent) <= clockSlack {
		return time.Time{}
	}
	for _, e := range ends {
		if e = after(e, sent); !e.IsZero() {
			end = earliest(end, now.Add(e.Sub(sent)))
		}
	}
	return end
}

// refreshExpires returns when the refresh token ends; zero where the API does not say in a
// way that makes sense, or says 0 for never (Keycloak's offline tokens).
func (c *Places) refreshExpires(a *Response, now time.Time) time.Time {
	in, at := unlessZero(a, c.expiry(refreshExpiresIn)), unlessZero(a, c.expiry(refreshExpiresAt))
	var left, date time.Time
	if in != nil {
		left = c.left(a, refreshExpiresIn, now, maxRefreshLifetime)
	}
	if at != nil {
		if date = c.date(a, refreshExpiresAt, now, maxRefreshLifetime); !date.IsZero() && !date.After(now) {
			a.note(refreshExpiresAt)
		}
	}
	return earliest(left, after(date, now))
}

// after is a time that is behind now; else zero.
func after(t, now time.Time) time.Time {
	if t.After(now) {
		return t
	}
	return time.Time{}
}

// left is the end that a time left says; zero where it is not given: absent and null, and,
// with a note, what cannot be read, is not positive, or lies too far ahead.
func (c *Places) left(a *Response, name string, now time.Time, most time.Duration) time.Time {
	place := c.expiry(name)
	v, ok := place.extractSome(a)
	if !ok {
		return time.Time{}
	}
	d, err := readDuration(v, place.isMilli(), most)
	if err != nil {
		a.note(name)
		return time.Time{}
	}
	return now.Add(d)
}

// date is the end that a date says; zero, with a note, as in [Places.left]. It may be past.
func (c *Places) date(a *Response, name string, now time.Time, most time.Duration) time.Time {
	place := c.expiry(name)
	v, ok := place.extractSome(a)
	if !ok {
		return time.Time{}
	}
	end, err := readDate(v, place.isMilli())
	if err != nil || end.After(now.Add(most)) {
		a.note(name)
		return time.Time{}
	}
	return end
}

// earliest of two times, of which either may be unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// expiry is the place called name; nil: there is none.
func (c *Places) expiry(name string) *Place {
	if p, ok := c.Expiry[name]; ok {
		return &p
	}
	return nil
}

// unlessZero drops a place where the response says 0.
func unlessZero(a *Response, p *Place) *Place {
	if v, ok := p.extractSome(a); ok {
		if n, err := Number(v); err == nil && n == 0 {
			return nil
		}
	}
	return p
}

// readDuration reads how long something lives: a number or decimal text, above 0
// and at most most.
func readDuration(v any, milli bool, most time.Duration) (time.Duration, error) {
	n, err := Number(v)
	if err != nil {
		return 0, err
	}
	if milli {
		n /= 1000
	}
	if !(n > 0) || n > most.Seconds() {
		return 0, Invalid("time to live is out of range")
	}
	return time.Duration(n * float64(time.Second)), nil
}

// readDate reads a Unix time or an RFC 3339 date.
func readDate(v any, milli bool) (time.Time, error) {
	if text, ok := v.(string); ok {
		if date, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err == nil {
			return date, nil
		}
	}
	n, err := Number(v)
	if err != nil {
		return time.Time{}, err
	}
	if milli {
		n /= 1000
	}
	if !(n > 0) || n > lastDate {
		return time.Time{}, Invalid("date is out of range")
	}
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9)), nil
}

// Number reads a number, or text of digits with at most one point; it fails
// with [upstream.ErrInvalid].
func Number(v any) (float64, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Float64(); err == nil {
			return n, nil
		}
	case string:
		digits := strings.Replace(v, ".", "", 1)
		if digits != "" && strings.Trim(digits, "0123456789") == "" {
			if n, err := strconv.ParseFloat(v, 64); err == nil {
				return n, nil
			}
		}
	}
	return 0, Invalid("an expiry is neither number nor date")
}
