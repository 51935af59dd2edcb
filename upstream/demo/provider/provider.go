// Package provider is a small OpenID Provider. It stands in for the one that somebody
// else runs, in the demo, and it is the faulty provider of the tests: each [Sin] makes
// it break one rule. It shares no code with the client that is tried against it.
//
// What it speaks, below its issuer:
//
//	GET  /.well-known/openid-configuration   metadata (Discovery 1.0, RFC 8414)
//	GET  /keys                               signing keys, which can be rotated
//	GET  /authorize                          code with PKCE (S256 only), prompt, max_age, acr_values, form_post, iss (RFC 9207)
//	POST /par                                pushed authorization requests (RFC 9126)
//	POST /signin                             the sign-in page's form
//	POST /token                              code, refresh_token (rotation, reuse ends the family), token exchange (RFC 8693)
//	GET  /userinfo                           with Bearer or DPoP
//	POST /revoke                             RFC 7009
//	GET  /end_session                        RP-Initiated Logout 1.0, then back-channel logout to every client of the session
//	GET  /                                   the person's own page, with a button that signs out here
//
// Clients prove themselves by client_secret_basic, client_secret_post, private_key_jwt
// or a certificate (RFC 8705, self-signed); tokens may be bound to a key (DPoP with
// nonces, RFC 9449). Everything is in memory, is bounded, and is gone with the process.
package provider

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	defaultAccessLife = 5 * time.Minute
	codeLife          = time.Minute
	requestLife       = 10 * time.Minute
	refreshLife       = 24 * time.Hour
	sessionLife       = 12 * time.Hour
	// maxEntries bounds each of the tables.
	maxEntries = 10_000
	// maxBody bounds a request, in bytes.
	maxBody = 64 << 10
)

// Options shape a provider.
type Options struct {
	// Issuer is the provider's address, without a slash at the end. Needed.
	Issuer string
	// MTLS is the address at which clients show certificates; empty: none is announced.
	MTLS string
	// Clients are those that are registered, People those who can sign in.
	Clients []Client
	People  []Person
	// Name is what the provider calls itself; "" is its issuer's host.
	Name string
	// Note stands below the sign-in form.
	Note string
	// FillIn fills the sign-in form in for the first of People, or whom the client names,
	// and offers the others by a button: only for a demo, whose passwords are no secrets.
	FillIn bool
	// AccessLife of access tokens; 5 min.
	AccessLife time.Duration
	// DPoPNonces demands the server's nonce in every proof.
	DPoPNonces bool
	// NoPAR and NoDPoP leave the two out of the metadata and answer 404.
	NoPAR, NoDPoP bool
	// Keys sign until they are rotated; nil: fresh ones.
	Keys *Keys
	// Now tells the time; nil is [time.Now].
	Now func() time.Time
	// HTTP sends logout tokens; nil is a client that gives up after 5 s.
	HTTP *http.Client
	// Record, if set, sees every request before it is answered.
	Record func(r *http.Request)
}

// Client is a registered client.
type Client struct {
	// ID and Secret are what the client signs in with (RFC 6749 §2.3.1).
	ID, Secret string
	// Name is what the sign-in page calls it.
	Name string
	// Keys are those of private_key_jwt.
	Keys *jose.JSONWebKeySet
	// Certificate is the SHA-256 of the certificate that the client shows (DER).
	Certificate []byte
	// RedirectURIs and PostLogout are compared byte for byte.
	RedirectURIs, PostLogout []string
	// BackChannel is where logout tokens go; empty: none are sent.
	BackChannel string
}

// Person is somebody who can sign in.
type Person struct {
	// Subject is the sub of tokens; Email and Password are typed; Name is shown.
	Subject, Email, Password, Name string
	// Claims are added to ID token and userinfo.
	Claims map[string]any
	// Unlisted: a page that is filled in does not offer this person.
	Unlisted bool
}

// Provider is one running provider. It is an [http.Handler].
type Provider struct{ signOuts }

// What a Provider consists of, each made of the one before it.
type (
	clients  struct{ *state }  // find out which client asks
	tokens   struct{ clients } // give tokens, and look at them
	signIns  struct{ tokens }  // people's pages
	signOuts struct{ signIns }
)

// state is what a provider is made of and remembers.
type state struct {
	options Options
	client  *http.Client
	mux     *http.ServeMux
	base    string // path of the issuer
	host    string // of the issuer

	mu       sync.Mutex // guards what follows
	sins     map[Sin]bool
	ring     *Keys
	requests table[request]
	codes    table[grant]
	access   table[grant]
	refresh  table[grant]
	families map[string]bool // refresh families that ended
	sessions table[session]
	proofs   table[bool]    // jti of proofs and assertions that were used
	events   table[[]Event] // by session
	nonce    string
}

// New makes a provider.
func New(o Options) (*Provider, error) {
	if o.AccessLife <= 0 {
		o.AccessLife = defaultAccessLife
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = issuer.Host
	}
	p := &state{options: o, client: o.HTTP, base: strings.TrimSuffix(issuer.Path, "/"), host: issuer.Host, sins: map[Sin]bool{}, families: map[string]bool{}, nonce: random()}
	if p.client == nil {
		p.client = &http.Client{Timeout: 5 * time.Second}
	}
	if p.ring = o.Keys; p.ring == nil {
		if p.ring, err = NewKeys(); err != nil {
			return nil, err
		}
	}
	whole := &Provider{signOuts{signIns{tokens{clients{p}}}}}
	whole.routes()
	return whole, nil
}

func (p *Provider) routes() {
	p.mux = http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.discovery,
		"GET /keys":                             p.keys,
		"GET /authorize":                        p.authorize,
		"POST /authorize":                       p.authorize,
		"POST /par":                             p.push,
		"POST /signin":                          p.signIn,
		"POST /token":                           p.token,
		"GET /userinfo":                         p.userinfo,
		"POST /userinfo":                        p.userinfo,
		"POST /revoke":                          p.revoke,
		"GET /end_session":                      p.endSession,
		"POST /end_session":                     p.endSession,
		"GET /{$}":                              p.home,
	} {
		p.mux.HandleFunc(pattern, handle)
	}
}

// ServeHTTP implements [http.Handler].
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.options.Record != nil {
		p.options.Record(r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.StripPrefix(p.base, p.mux).ServeHTTP(w, r)
}

// Rotate makes new signing keys. The old ones are published no more.
func (p *state) Rotate() error {
	next, err := NewKeys()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ring = next
	return nil
}

func (p *state) now() time.Time { return p.options.Now() }

// at is an address of ours.
func (p *state) at(path string) string { return p.options.Issuer + path }

func (p *state) isHTTPS() bool { return strings.HasPrefix(p.options.Issuer, "https://") }

func (p *state) registered(id string) *Client {
	for i := range p.options.Clients {
		if c := &p.options.Clients[i]; c.ID == id {
			return c
		}
	}
	return nil
}

func (p *state) person(subject string) *Person {
	for i := range p.options.People {
		if who := &p.options.People[i]; who.Subject == subject {
			return who
		}
	}
	return nil
}
