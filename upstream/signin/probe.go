package signin

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"coatcheck/upstream/mapping"
)

// Probe is what an API showed of itself to somebody who is not signed in.
type Probe struct {
	// Status of the response to HEAD at the upstream's url; any status is a response.
	Status int
	// Took is the time from dialling to the response.
	Took time.Duration
	// TLS is the connection's state; nil over plain http.
	TLS *tls.ConnectionState
	// Clock is how far the API's clock is ahead of ours, to the second; ClockKnown is
	// false where the response names no date.
	Clock      time.Duration
	ClockKnown bool
}

// Probe dials the API and asks HEAD of its base, without any secret. Errors are
// [upstream.ErrUnreachable] and [upstream.ErrTimeout], with a reason in our own words.
func (u *Upstream) Probe(ctx context.Context) (*Probe, error) {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, u.address.URL()+"/", nil)
	if err != nil {
		return nil, mapping.Invalid("request cannot be made: %w", err)
	}
	request.Header.Set("User-Agent", u.agent)
	begun := time.Now()
	response, err := u.client.GetClient().Transport.RoundTrip(request)
	if err != nil {
		return nil, failure(ctx, err)
	}
	_ = response.Body.Close() // HEAD: nothing is in it
	p := &Probe{Status: response.StatusCode, Took: time.Since(begun), TLS: response.TLS}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		middle := begun.Add(p.Took / 2).Truncate(time.Second)
		p.Clock, p.ClockKnown = date.Sub(middle), true
	}
	return p, nil
}
