package serviceaccount

import (
	"errors"
	"strconv"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// Values that are in an account's record beside its token. No mapping has such names.
const (
	valueTries = " tries" // failures in a row
	valueRetry = " retry" // when to ask again, in milliseconds of the store's clock
	valueGiven = " given" // when the token was given, in the same way
)

// state is what a record says beside its token.
type state struct {
	tries        int
	retry, given time.Time
}

func stateOf(c *credential.Credential) state {
	tries, _ := strconv.Atoi(c.Value(valueTries).Reveal())
	return state{tries, readTime(c.Value(valueRetry)), readTime(c.Value(valueGiven))}
}

func readTime(s credential.Secret) time.Time {
	ms, err := strconv.ParseInt(s.Reveal(), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func timeText(t time.Time) credential.Secret {
	return credential.NewSecret(strconv.FormatInt(t.UnixMilli(), 10))
}

// given is a credential that came now.
func given(c *credential.Credential, now time.Time) *credential.Credential {
	values := c.Values()
	if values == nil {
		values = map[string]credential.Secret{}
	}
	delete(values, valueTries)
	delete(values, valueRetry)
	values[valueGiven] = timeText(now)
	return credential.New(values, c.Expires, time.Time{}) // no end of a refresh token ends an account
}

// Pauses after failures in a row: 2 s, and each time twice as long, up to five minutes,
// which is nine tries in the first ten minutes; or as long as the API asks for, an hour
// at most.
const (
	firstPause = 2 * time.Second
	mostPause  = 5 * time.Minute
	mostAsked  = time.Hour
)

// pauseAfter is how long the API is left alone after n failures in a row.
func pauseAfter(n int, why error) time.Duration {
	pause := min(firstPause<<min(n-1, 10), mostPause)
	var refusal *mapping.Refusal
	if errors.As(why, &refusal) {
		pause = max(pause, min(refusal.RetryAfter, mostAsked))
	}
	return pause
}

// failed is c after a failure. Its token stays, unless the API has refused that as well.
func failed(c *credential.Credential, why error, now time.Time, keepToken bool) *credential.Credential {
	values, expires := c.Values(), c.Expires
	if values == nil || !keepToken {
		values, expires = map[string]credential.Secret{}, time.Time{}
	}
	n := stateOf(c).tries + 1
	values[valueTries] = credential.NewSecret(strconv.Itoa(n))
	values[valueRetry] = timeText(now.Add(pauseAfter(n, why)))
	return credential.New(values, expires, time.Time{})
}
