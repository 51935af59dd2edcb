package oidc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/oidc/dpop"
	"coatcheck/upstream/oidc/lastgood"
	"coatcheck/upstream/signin"
)

const (
	// maxDocument bounds metadata and keys, in bytes.
	maxDocument = 512 << 10
	// defaultTimeout bounds one exchange where the configuration does not.
	defaultTimeout = 10 * time.Second
	// skew is how far the provider's clock may be from ours.
	skew = 60 * time.Second
)

// Names of the values in a credential that this package makes, beside access_token
// and refresh_token.
const (
	// IDToken is the last ID token, verified. Refresh holds the next one against it,
	// and the provider's sign-out takes it as a hint.
	IDToken = "id_token"
	// DPoPKey is the private key that the tokens are bound to; see [dpop.ParseKey].
	DPoPKey = credential.BoundKey
)

// Options are what the configuration does not say. The zero value is ready to use.
type Options struct {
	// UserAgent is what the provider sees; "Coatcheck" by default.
	UserAgent string
	// Now tells the time; [time.Now] by default.
	Now func() time.Time
	// Log takes security events and the reasons of failed fetches; nil: nobody.
	Log *slog.Logger
	// Observe, if set, hears of every exchange with the provider: discovery, keys,
	// par, token, refresh, userinfo, revocation, exchange. It must not block.
	Observe func(exchange string, took time.Duration, err error)
}

// Provider is one configured provider. It is made by [New] and used by many goroutines.
type Provider struct{ people }

// What a Provider consists of, each made of the one before it.
type (
	asker    struct{ *link }    // asks the provider's endpoints, proves who the client is
	verifier struct{ asker }    // verifies what the provider has signed
	people   struct{ verifier } // finds out who signed in
)

// link is the way to a provider, and what is known of it.
type link struct {
	name    string
	config  *configs.Provider
	options Options
	now     func() time.Time
	log     *slog.Logger

	proof *proof // how the client proves itself
	reach *reach
	proxy *upstream.Proxy
	plain *signin.Client // discovery and keys
	auth  *signin.Client // endpoints at which the client proves itself, or shows a token

	metadata *lastgood.Value[*Metadata]
	keys     *lastgood.Value[*keySet]
	// Unknown key ids refetch keys. Logout tokens and those of programs come from anybody,
	// so they have allowances of their own and cannot use up the one of sign-ins.
	forLogins, forLogouts, forCallers lastgood.Allowance
	nonces                            dpop.Nonces
}

// New makes a provider of its configuration, and reads the files that it names. It
// calls nobody. No error holds a secret.
func New(name string, c *configs.Provider, o Options) (*Provider, error) {
	p := &link{name: name, config: c, options: o, now: o.Now, log: o.Log, reach: newReach(c)}
	if p.now == nil {
		p.now = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	var failed [3]error
	p.proof, failed[0] = newProof(c)
	if p.proxy, failed[1] = upstream.ParseProxy(c.Proxy.Reveal()); failed[1] != nil {
		return nil, p.within("new", failed[1])
	}
	p.plain, failed[1] = signin.NewClient(p.clientOptions(false))
	p.auth, failed[2] = signin.NewClient(p.clientOptions(c.ClientCert != ""))
	if err := errors.Join(failed[:]...); err != nil {
		p.Close()
		return nil, p.within("new", err)
	}
	p.metadata = lastgood.New(p.now, p.discover)
	p.keys = lastgood.New(p.now, p.fetchKeys)
	return &Provider{people{verifier{asker{p}}}}, nil
}

// clientOptions are for the client that asks; identified: it shows client_cert.
func (p *link) clientOptions(identified bool) signin.ClientOptions {
	c := p.config
	o := signin.ClientOptions{UserAgent: p.options.UserAgent, ConnectTimeout: c.ConnectTimeout, CA: c.CA,
		Addresses: c.Addresses, Allow: p.reach.allow, Proxy: p.proxy, AllowName: p.reach.allowName, Limit: maxDocument}
	if identified {
		o.ClientCert, o.ClientKey = c.ClientCert, c.ClientKey
	}
	return o
}

// Name is the provider's name in the configuration.
func (p *Provider) Name() string { return p.name }

// Issuer is the issuer as configured; empty for a plain OAuth 2.0 provider.
func (p *Provider) Issuer() string { return p.config.Issuer }

// Attempt is how long a person may take at the provider.
func (p *Provider) Attempt() time.Duration { return p.config.Attempt }

// Close closes idle connections. Calls at work end as they would have.
func (p *link) Close() {
	for _, c := range []*signin.Client{p.plain, p.auth} {
		if c != nil {
			c.Close()
		}
	}
}

// Renews reports whether c can be renewed.
func (p *Provider) Renews(c *credential.Credential) bool { return c.CanRefresh() }

// RefreshBefore is how much of a token's life is left when it is renewed.
func (p *Provider) RefreshBefore() time.Duration { return p.config.Before }

// RefreshTimeout bounds a whole refresh.
func (p *Provider) RefreshTimeout() time.Duration { return p.timeout() }

func (p *link) timeout() time.Duration {
	if p.config.Timeout > 0 {
		return p.config.Timeout
	}
	return defaultTimeout
}

// ask asks once. What cannot be used is [ErrFailed], as everything that is wrong with
// the provider's answers.
func ask(ctx context.Context, c *signin.Client, q signin.URLRequest) (*signin.URLResponse, error) {
	reply, err := c.Ask(ctx, q)
	if errors.Is(err, upstream.ErrInvalid) {
		return nil, failed("answer is malformed or too large")
	}
	return reply, err
}

// observe tells who watches how an exchange went, and returns err.
func (p *link) observe(exchange string, began time.Time, err error) error {
	if p.options.Observe != nil {
		p.options.Observe(exchange, time.Since(began), err)
	}
	return err
}
