package oidc

import (
	"context"
	"strings"
	"time"

	"coatcheck/upstream/signin"
)

// wellKnown is where an issuer describes itself (OpenID Connect Discovery 1.0 §4.1).
const wellKnown = "/.well-known/openid-configuration"

// Metadata returns what the provider says about itself, asking it where that is not
// known or old. For a plain OAuth 2.0 provider it is what the configuration says.
func (p *link) Metadata(ctx context.Context) (*Metadata, error) {
	if !p.config.HasIssuer() {
		return static(p.config), nil
	}
	m, err := p.metadata.Get(ctx)
	return m, p.within("discovery", err)
}

// discover fetches the metadata. An endpoint at another host than before is a security
// event: what was known before stays in use until the configuration is reloaded.
func (p *link) discover(ctx context.Context) (*Metadata, error) {
	began := time.Now()
	body, err := p.document(ctx, p.metadataURL())
	if err != nil {
		return nil, p.observe("discovery", began, err)
	}
	next, err := parseMetadata(body, p.config)
	if err != nil {
		p.log.Warn("provider's metadata was refused", "provider", p.name, "reason", err.Error())
		return nil, p.observe("discovery", began, err)
	}
	if before, known := p.metadata.Last(); known {
		if name := before.movedHost(next); name != "" {
			p.log.Error("provider's endpoint moved to another host; it is not used until the configuration is reloaded",
				"event", "security", "provider", p.name, "endpoint", name, "host", clean(hostOf(next.endpoints()[name]), maxDescription))
			next = before
		}
	}
	return next, p.observe("discovery", began, nil)
}

// metadataURL loses a slash at the issuer's end; the issuer itself never does.
func (p *link) metadataURL() string { return strings.TrimSuffix(p.config.Issuer, "/") + wellKnown }

// document fetches a JSON document of the provider's.
func (p *link) document(ctx context.Context, address string) ([]byte, error) {
	reply, err := ask(ctx, p.plain, signin.URLRequest{URL: address})
	if err != nil {
		return nil, err
	}
	if reply.Status != 200 {
		return nil, failed("status %d instead of a document", reply.Status)
	}
	return reply.Body, nil
}
