package mapping

import (
	"encoding/json"
	"math"
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

// maxLifetime bounds how long an access token may say it lives. It catches
// milliseconds that were taken for seconds.
const maxLifetime = 10 * 365 * 24 * time.Hour

// maxRefreshLifetime bounds the same for refresh tokens, some of which are made
// to outlive everybody, within what a [time.Duration] can say.
const maxRefreshLifetime = 100 * 365 * 24 * time.Hour

// lastDate is the end of the year 9999, the last that RFC 3339 can write. A Unix
// time behind it counts other units than the mapping says.
const lastDate = 253402300799

// expires returns when the access token of a ends: the earliest of what the
// places say and of a JWT's own exp; zero where nothing says.
func (c *Places) expires(a *Response, token string, now time.Time) (time.Time, error) {
	end, err := earliestOf(a, c.expiry(expiresIn), c.expiry(expiresAt), now, maxLifetime)
	if err != nil {
		return end, err
	}
	if !end.IsZero() && !end.After(now) {
		return end, Invalid("access token has no time to live")
	}
	exp := jwtExpiry(token)
	if !exp.IsZero() && !exp.After(now) {
		return end, Invalid("access token's exp is past")
	}
	return earliest(end, exp), nil
}

// refreshExpires returns when the refresh token ends; zero where the API does
// not say, or says 0 for never (Keycloak's offline tokens).
func (c *Places) refreshExpires(a *Response, now time.Time) (time.Time, error) {
	end, err := earliestOf(a, unlessZero(a, c.expiry(refreshExpiresIn)), unlessZero(a, c.expiry(refreshExpiresAt)), now, maxRefreshLifetime)
	if err == nil && !end.IsZero() && !end.After(now) {
		return end, Invalid("refresh token has no time to live")
	}
	return end, err
}

// earliestOf reads the two ways in which a response can say when something expires.
// Absent and null say nothing; the time is then zero.
func earliestOf(a *Response, in, at *Place, now time.Time, most time.Duration) (time.Time, error) {
	var relative, absolute time.Time
	if v, ok := in.extractSome(a); ok {
		left, err := readDuration(v, in.isMilli(), most)
		if err != nil {
			return relative, err
		}
		relative = now.Add(left)
	}
	if v, ok := at.extractSome(a); ok {
		var err error
		if absolute, err = readDate(v, at.isMilli()); err != nil {
			return absolute, err
		}
	}
	return earliest(relative, absolute), nil
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
