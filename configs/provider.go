package configs

import (
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// Provider is where people sign in at a page of somebody else: an OpenID Provider,
// or an OAuth 2.0 authorization server that has no issuer. The embedded sections have
// no key of their own: their keys stand among the provider's.
type Provider struct {
	// Issuer, byte for byte as the provider writes it, slash and all. Addresses and keys are discovered from it.
	Issuer string `yaml:"issuer"`
	ProviderEndpoints
	ProviderClient
	// Scopes that are asked for; none by default without an issuer.
	Scopes []string `yaml:"scopes" default:"openid"`
	// Constants that go along to the authorization endpoint: audience, access_type, response_mode.
	Authorize map[string]string `yaml:"authorize"`
	// Pushed authorization requests (RFC 9126); auto: where advertised.
	PAR string `yaml:"par" default:"auto" enum:"auto|required|off"`
	// Tokens bound to a key of the session's (DPoP, RFC 9449); auto: where the provider advertises it and every upstream that gets the token says dpop: true.
	DPoP string `yaml:"dpop" default:"auto" enum:"auto|required|off"`
	ProviderClaims
	// How long a person may take at the provider.
	Attempt time.Duration `yaml:"attempt" default:"30m" min:"1m" max:"24h"`
	ProviderSignOut
	// Refresh when less than this is left of an access token.
	Before time.Duration `yaml:"before" default:"30s" min:"0s" max:"8760h"`
	ProviderConnection
}

// ProviderEndpoints are the addresses of a provider without an issuer: nothing tells them
// but the file.
type ProviderEndpoints struct {
	// Authorization endpoint of a provider without an issuer (plain OAuth 2.0).
	Authorization string `yaml:"authorization"`
	// Token endpoint of a provider without an issuer.
	Token string `yaml:"token"`
	// Revocation endpoint (RFC 7009) of a provider without an issuer.
	Revocation string `yaml:"revocation"`
	// Where a provider without ID tokens describes the person.
	User *ProviderUser `yaml:"user"`
}

// ProviderClient is who Coatcheck is at the provider, and how it proves that: with a
// secret, a key of its own, a certificate, or an assertion made by somebody else.
type ProviderClient struct {
	// The client's name at the provider.
	ClientID string `yaml:"client_id" required:"true"`
	// The client's secret.
	ClientSecret credential.Secret `yaml:"client_secret"`
	// How the secret is sent: auto follows the provider's metadata, then OpenID Connect's default (basic), or post without an issuer.
	ClientAuth string `yaml:"client_auth" default:"auto" enum:"auto|basic|post"`
	// PEM file of a private key: signs assertions (private_key_jwt), or belongs to client_cert.
	ClientKey string `yaml:"client_key"`
	// Key id that assertions name; default: the key's thumbprint (RFC 7638).
	ClientKeyID string `yaml:"client_key_id"`
	// PEM file of a certificate: the client proves itself by mutual TLS (RFC 8705).
	ClientCert string `yaml:"client_cert"`
	// File with an assertion made by somebody else (RFC 7523), written ${file:PATH} and read again at every use.
	ClientAssertion LiveFile `yaml:"client_assertion"`
}

// ProviderClaims is what is read about a person, and what must be true of it.
type ProviderClaims struct {
	// Whether the userinfo document is merged into the person.
	Userinfo bool `yaml:"userinfo" default:"false"`
	// Other audiences that an ID token may name.
	Audiences []string `yaml:"audiences"`
	// Whether ID tokens carry the nonce; off only for providers that leave it out.
	Nonce string `yaml:"nonce" default:"on" enum:"on|off"`
	// What must be true of a person who may sign in; all lines must match.
	Admit []AdmitRule `yaml:"admit"`
}

// ProviderSignOut is what a sign-out does at the provider.
type ProviderSignOut struct {
	// Whether a sign-out ends the provider's session as well, where it can.
	Logout string `yaml:"logout" default:"provider" enum:"provider|local"`
	// Sign-out address where none is discovered, with {client_id}, {post_logout_redirect_uri}, {id_token}, {logout_hint} and {state}.
	EndSession string `yaml:"end_session"`
}

// ProviderConnection is how the provider is reached.
type ProviderConnection struct {
	// Bound on each exchange with the provider.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"1m"`
	// Time to open a connection, TLS included.
	ConnectTimeout time.Duration `yaml:"connect_timeout" default:"3s" min:"1ms" max:"1m"`
	// Addresses that are dialled instead of a host's own: {id.example.net: "10.0.0.5:8443"}.
	Addresses map[string]string `yaml:"addresses"`
	// Forward proxy on the way to the provider, http[s]://[user:password@]host[:port], asked for a tunnel to each of its hosts. The environment's proxies are never asked by themselves.
	Proxy credential.Secret `yaml:"proxy"`
	// PEM file of the authorities that are trusted instead of the system's.
	CA string `yaml:"ca"`
	// Allows http:// to an address off loopback.
	InsecureHTTP bool `yaml:"insecure_http" default:"false"`
}

// ProviderUser is where a provider without ID tokens describes the person.
type ProviderUser struct {
	// Address that is asked with the access token.
	URL string `yaml:"url" required:"true"`
	// Pointer to the person in that document; "" is all of it.
	At string `yaml:"at"`
	// Pointer, below At, to what identifies the person permanently.
	Subject string `yaml:"subject" default:"/id"`
}

// AdmitRule is one thing that must be true of a person who may sign in.
type AdmitRule struct {
	// Pointer into the person's claims.
	At string `yaml:"at" required:"true"`
	// What must stand there: a scalar or one of a list, compared whole. In a list of the person's, one item must match.
	Is mapping.Match `yaml:"is" required:"true"`
}

// TokenExchange asks a provider for a token of its own for an upstream (RFC 8693): of audience and resource, at least one.
type TokenExchange struct {
	// Logical name of the API at the provider.
	Audience string `yaml:"audience"`
	// Address of the API (RFC 8707).
	Resource string `yaml:"resource"`
	// Scopes that are asked for.
	Scopes []string `yaml:"scopes"`
}

// LiveFile is a file that is read again at every use, because others renew it. In
// a configuration it is written as ${file:PATH}, and as nothing else.
type LiveFile struct{ Path string }

// Names is a list of names that may be written as one name.
type Names []string

// HasIssuer reports whether addresses and keys are discovered from an issuer.
func (p *Provider) HasIssuer() bool { return p.Issuer != "" }

// IsOpenID reports whether the provider gives ID tokens.
func (p *Provider) IsOpenID() bool { return p.HasIssuer() && slices.Contains(p.Scopes, "openid") }

// ChecksNonce reports whether ID tokens must carry the nonce of the attempt.
func (p *Provider) ChecksNonce() bool { return p.Nonce != "off" }

// EndsProviderSession reports whether a sign-out goes to the provider as well.
func (p *Provider) EndsProviderSession() bool { return p.Logout != "local" }
