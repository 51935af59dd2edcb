package oidc

import (
	"context"
	"net/http"
	"time"

	"coatcheck/upstream/oidc/lastgood"
	"coatcheck/upstream/signin"
)

// IssuerError says that metadata is of another issuer than the configured one. It is
// an [ErrFailed].
type IssuerError struct {
	// Configured and Announced are the two issuers; the latter as the provider writes
	// it, unless it is too long or not printable.
	Configured, Announced string
}

// Error implements error.
func (e *IssuerError) Error() string { return "metadata is of another issuer, " + e.Announced }

// Unwrap makes it an [ErrFailed].
func (e *IssuerError) Unwrap() error { return ErrFailed }

// Inspection is what a provider shows of itself to an operator.
type Inspection struct {
	// Metadata is as discovered, or as configured where there is no issuer.
	Metadata *Metadata
	// Keys is how many of its keys can be used.
	Keys int
	// Took is how long metadata took; Clock how far the provider's clock is ahead of
	// ours, where its answer has a Date.
	Took, Clock time.Duration
	ClockKnown  bool
}

// Inspect asks the provider for its metadata and keys now, whatever is known already,
// and keeps neither.
func (p *Provider) Inspect(ctx context.Context) (*Inspection, error) {
	if !p.config.HasIssuer() {
		return &Inspection{Metadata: static(p.config)}, nil
	}
	i, err := p.inspect(ctx)
	return i, p.within("inspect", err)
}

func (p *link) inspect(ctx context.Context) (*Inspection, error) {
	ctx, cancel := context.WithTimeout(ctx, lastgood.Timeout)
	defer cancel()
	began := time.Now()
	reply, err := ask(ctx, p.plain, signin.URLRequest{URL: p.metadataURL()})
	if err != nil {
		return nil, err
	}
	i := &Inspection{Took: time.Since(began)}
	if date, err := http.ParseTime(reply.Header.Get("Date")); err == nil {
		i.Clock, i.ClockKnown = date.Sub(began.Add(i.Took/2)).Truncate(time.Second), true // Date has seconds only
	}
	if reply.Status != http.StatusOK {
		return nil, failed("status %d instead of metadata", reply.Status)
	}
	if i.Metadata, err = parseMetadata(reply.Body, p.config); err != nil {
		return nil, err
	}
	body, err := p.document(ctx, i.Metadata.Keys)
	if err != nil {
		return nil, err
	}
	set, err := parseKeys(body)
	if err != nil {
		return nil, err
	}
	i.Keys = len(set.keys)
	return i, nil
}
