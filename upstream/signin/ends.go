package signin

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// Names of a credential's places that are no values but ends.
const (
	expiresIn        = "expires_in"
	expiresAt        = "expires_at"
	refreshExpiresIn = "refresh_expires_in"
	refreshExpiresAt = "refresh_expires_at"
)

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
// places say and of a JWT's own exp; zero where nobody tells.
func (c *credentialPlaces) expires(a *answer, token string, now time.Time) (time.Time, error) {
	end, err := earliestOf(a, c.ends[expiresIn], c.ends[expiresAt], now, maxLifetime)
	if err != nil {
		return end, err
	}
	if !end.IsZero() && !end.After(now) {
		return end, invalid("access token has no time to live")
	}
	exp := jwtEnd(token)
	if !exp.IsZero() && !exp.After(now) {
		return end, invalid("access token's exp is past")
	}
	return earliest(end, exp), nil
}

// refreshExpires returns when the refresh token ends; zero where the API does
// not tell, or says 0 for never (Keycloak's offline tokens).
func (c *credentialPlaces) refreshExpires(a *answer, now time.Time) (time.Time, error) {
	end, err := earliestOf(a, zeroless(a, c.ends[refreshExpiresIn]), zeroless(a, c.ends[refreshExpiresAt]), now, maxRefreshLifetime)
	if err == nil && !end.IsZero() && !end.After(now) {
		return end, invalid("refresh token has no time to live")
	}
	return end, err
}

// earliestOf reads the two ways in which an answer can name an end. Absent and
// null is untold.
func earliestOf(a *answer, in, at *place, now time.Time, most time.Duration) (time.Time, error) {
	var relative, absolute time.Time
	if v, ok := told(a, in); ok {
		left, err := readDuration(v, in.milli, most)
		if err != nil {
			return relative, err
		}
		relative = now.Add(left)
	}
	if v, ok := told(a, at); ok {
		var err error
		if absolute, err = readDate(v, at.milli); err != nil {
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

func told(a *answer, p *place) (any, bool) {
	if p == nil {
		return nil, false
	}
	v, ok := p.take(a)
	return v, ok && v != nil
}

// zeroless drops a place where the answer says 0.
func zeroless(a *answer, p *place) *place {
	if v, ok := told(a, p); ok {
		if n, err := decimal(v); err == nil && n == 0 {
			return nil
		}
	}
	return p
}

// readDuration reads how long something lives: a number or decimal text, above 0
// and at most most.
func readDuration(v any, milli bool, most time.Duration) (time.Duration, error) {
	n, err := decimal(v)
	if err != nil {
		return 0, err
	}
	if milli {
		n /= 1000
	}
	if !(n > 0) || n > most.Seconds() {
		return 0, invalid("time to live is out of range")
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
	n, err := decimal(v)
	if err != nil {
		return time.Time{}, err
	}
	if milli {
		n /= 1000
	}
	if !(n > 0) || n > lastDate {
		return time.Time{}, invalid("date is out of range")
	}
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9)), nil
}

// decimal reads a number, or text of digits with at most one point.
func decimal(v any) (float64, error) {
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
	return 0, invalid("an end is neither number nor date")
}
