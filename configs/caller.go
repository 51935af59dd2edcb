package configs

import (
	"net/netip"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/signature"
	"coatcheck/upstream/mapping"
)

// Caller is a program known by name. It proves itself by a key that Coatcheck
// made, by a signature, or by a token of a provider.
type Caller struct {
	// Hashes of its keys, sha256:…; more are made at run time.
	Keys []string `yaml:"keys"`
	// Where its keys are read: bearer, basic, {header: NAME}, {query: NAME}. Default: [bearer, basic, {header: X-Api-Key}].
	From []From `yaml:"from"`
	// How it signs: one way, or a list of them.
	Signature Signatures `yaml:"signature"`
	// Calls that are answered here and never forwarded.
	Handshake []Handshake `yaml:"handshake"`
	// Tokens of a provider that it presents, as Authorization: Bearer.
	Token *CallerToken `yaml:"token"`
	// Account of the upstream that calls go out with; none: only the constants of send.
	Account string `yaml:"account"`
	// Methods it may use; default: the route's.
	Methods []string `yaml:"methods"`
	// Networks it may come from; none: any.
	Addresses []netip.Prefix `yaml:"addresses"`
	// Bound on its calls, over all replicas; default: none.
	Limit *CallLimit `yaml:"limit"`
	// Longest life of a key made at run time; 0 = no end.
	Expires time.Duration `yaml:"expires" default:"0s" min:"0s" max:"87600h"`
	// Largest body that is verified.
	MaxSigned Size `yaml:"max_signed" default:"1MiB" min:"1KiB" max:"64MiB"`
	// Address that the provider signs, where a reverse proxy changes host or path; default: the frontend's origin.
	URL string `yaml:"url"`
}

// From is where a caller's keys are read. Exactly one field is set.
type From struct {
	// Authorization: Bearer.
	Bearer bool `yaml:"-"`
	// Authorization: Basic; the password is the key, or the user name with an empty password.
	Basic bool `yaml:"-"`
	// Request header.
	Header string `yaml:"header"`
	// Query parameter; it is cut out before forwarding and logging.
	Query string `yaml:"query"`
}

// CallLimit bounds a caller's calls over all replicas.
type CallLimit struct {
	// Calls in each period.
	Calls int `yaml:"calls" required:"true" min:"1" max:"1000000"`
	// The period.
	Per time.Duration `yaml:"per" default:"1m" min:"1s" max:"24h"`
	// Calls at once beyond the even pace; default: calls.
	Burst int `yaml:"burst" min:"1" max:"1000000"`
}

// CallerToken says which tokens of a provider a caller presents.
type CallerToken struct {
	// Provider whose tokens count.
	Provider string `yaml:"provider" required:"true"`
	// Audiences, one of which the token must name.
	Audiences []string `yaml:"audiences" required:"true"`
	// Lines that must hold for the claims.
	Admit []Line `yaml:"admit"`
}

// Signatures are the ways in which a caller signs; any of them.
type Signatures []*Signature

// Signature is one way to sign.
type Signature struct {
	// Values taken out of the call, by name.
	Take map[string]CallPlace `yaml:"take"`
	// What was signed: text with {names}, {body}, {url}, {method}, {path}, {query}, {form} and digests of them.
	Over SignedText `yaml:"over"`
	// The algorithm.
	By string `yaml:"by" required:"true" enum:"hmac-sha1|hmac-sha256|hmac-sha384|hmac-sha512|ed25519|ecdsa-sha256|rsa-sha256|jwt|equal"`
	// Algorithms of a JWT.
	Algorithms []string `yaml:"algorithms"`
	// Keys; any of them.
	Keys []credential.Secret `yaml:"keys" required:"true"`
	// How the keys are written.
	Key KeyForm `yaml:"key"`
	// Where the signature stands; any one that verifies.
	Proof *CallPlace `yaml:"proof" required:"true"`
	// How far a taken time may be from now, either way.
	Fresh map[string]Fresh `yaml:"fresh"`
	// What names the event: seen before, it is answered 200 and not forwarded.
	Once SignedText `yaml:"once"`
	// Lines that must hold as well.
	Admit []Line `yaml:"admit"`
}

// KeyForm says how the keys of a signature are written.
type KeyForm struct {
	// Encoding of the keys; public keys may be PEM.
	Encoding string `yaml:"encoding" default:"text" enum:"text|base64|base64url|hex"`
	// What stands in front of each.
	Prefix string `yaml:"prefix"`
}

// SignedText is text with {names} of a signature. Braces in a variable's value open no name.
type SignedText string

// Fresh bounds how far a time may be from now.
type Fresh struct {
	// The bound, before and after.
	Within time.Duration `yaml:"within" default:"5m" min:"1s" max:"24h"`
	// How the time is written: Unix seconds, milliseconds, RFC 3339, or as in HTTP.
	Unit string `yaml:"unit" default:"s" enum:"s|ms|rfc3339|http"`
}

// Line must hold for a call.
type Line struct {
	// Place that is looked at.
	At *CallPlace `yaml:"at" required:"true"`
	// What stands there: scalar, null, or a list of them; text with {names}, and * at either end. Without it: there, and not null, false, "" or [].
	Is *Accepted `yaml:"is"`
}

// Accepted is a list of scalars, each nil, bool, int64, uint64, float64 or string.
type Accepted struct{ Values []any }

// String implements [fmt.Stringer]; it never prints the values, because operators
// put secrets there.
func (Accepted) String() string { return "[secret]" }

// GoString implements [fmt.GoStringer]; it never prints the values.
func (Accepted) GoString() string { return "[secret]" }

// CallPlace is somewhere in a call: a JSON pointer (RFC 6901) into the body, or one of the other keys.
type CallPlace struct {
	// JSON pointer into the body; "" is the whole.
	Pointer *string `yaml:"at"`
	// Request header.
	Header string `yaml:"header"`
	// Query parameter.
	Query string `yaml:"query"`
	// Field of a form body.
	Form string `yaml:"form"`
	// Part of Authorization: Basic.
	Basic string `yaml:"basic" enum:"user|password"`
	// Claim of the verified JWT, a name or a pointer.
	Claim string `yaml:"claim"`
	// Cuts the value into parts.
	Split string `yaml:"split"`
	// Only parts that begin so count, without it.
	Prefix string `yaml:"prefix"`
	// How a proof is written; hex, but for jwt and equal.
	Encoding string `yaml:"encoding" enum:"hex|base64|base64url|text"`
}

// Handshake is a call that is answered here.
type Handshake struct {
	// Lines that make a call this one.
	Admit []Line `yaml:"admit" required:"true"`
	// Values taken out of the call, by name; at most 1 KiB of printable ASCII each.
	Take map[string]CallPlace `yaml:"take"`
	// What is answered, with status 200.
	Answer HandshakeAnswer `yaml:"answer" required:"true"`
}

// HandshakeAnswer is what a handshake answers. Exactly one key.
type HandshakeAnswer struct {
	// Plain text with {names}.
	Text SignedText `yaml:"text"`
	// JSON; its texts hold {names}.
	JSON mapping.Body `yaml:"json"`
	// Headers with {names}, and no body.
	Headers map[string]SignedText `yaml:"headers"`
}

// Account is how Coatcheck itself signs in at an upstream, for callers. Exactly one key.
type Account struct {
	// A token that is known: access_token, and other values for send.
	Credential map[string]credential.Secret `yaml:"credential"`
	// Fields of the upstream's own login, by which Coatcheck signs in at first need; its refresh renews.
	Fields map[string]credential.Secret `yaml:"fields"`
	// A sign-in of its own, such as client_credentials; it is made again when the token is about to end.
	Login *Login `yaml:"login"`
}

// Kinds of a caller's proof, as logs name them.
const (
	ByKey       = "key"
	BySignature = "signature"
	ByToken     = "token"
)

// Kind is how the caller proves itself: [ByKey], [BySignature] or [ByToken].
func (c *Caller) Kind() string {
	switch {
	case len(c.Signature) > 0:
		return BySignature
	case c.Token != nil:
		return ByToken
	}
	return ByKey
}

// IsDoor reports whether the frontend has no pages: programs alone call it.
func (f *Frontend) IsDoor() bool { return len(f.Origins) == 0 }

// Algorithms of [Signature.By] whose proof is a secret, or can be used again.
const (
	ByEqual = signature.Equal
	ByJWT   = signature.JWT
)

// InHead reports whether the place can be read before the body.
func (p *CallPlace) InHead() bool { return p.Pointer == nil && p.Form == "" && p.Claim == "" }
