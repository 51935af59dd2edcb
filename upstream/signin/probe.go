package signin

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

// Probe is what an API showed of itself to somebody who is not signed in.
type Probe struct {
	// Status of the answer to HEAD at the upstream's url; any status is an answer.
	Status int
	// Took is the time from dialling to the answer.
	Took time.Duration
	// TLS is the connection's state; nil over plain http.
	TLS *tls.ConnectionState
	// Clock is how far the API's clock is ahead of ours, to the second; ClockKnown is
	// false where the answer names no date.
	Clock      time.Duration
	ClockKnown bool
}

// Probe dials the API and asks HEAD of its base, without any secret. Errors are
// [upstream.ErrUnreachable] and [upstream.ErrTimeout], with a reason in our own words.
func (u *Upstream) Probe(ctx context.Context) (*Probe, error) {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	question, err := http.NewRequestWithContext(ctx, http.MethodHead, u.base.Origin()+u.base.Path+"/", nil)
	if err != nil {
		return nil, unaskable(err)
	}
	question.Header.Set("User-Agent", u.agent)
	begun := time.Now()
	answer, err := u.client.GetClient().Transport.RoundTrip(question)
	if err != nil {
		return nil, failure(ctx, err)
	}
	_ = answer.Body.Close() // HEAD: nothing is in it
	p := &Probe{Status: answer.StatusCode, Took: time.Since(begun), TLS: answer.TLS}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		middle := begun.Add(p.Took / 2).Truncate(time.Second)
		p.Clock, p.ClockKnown = date.Sub(middle), true
	}
	return p, nil
}
