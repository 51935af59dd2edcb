// Package signature verifies what programs sign: webhooks of providers, events
// of other backends. How a provider signs is said in a small language (a
// [Scheme]); there is no code for any provider.
//
// # The language
//
// A rule takes values out of a call (Take), puts them into the text that was
// signed (Over), and compares that with the proofs that came (Proof) by an
// algorithm (By) and any of its keys. Further lines must hold (Admit), a time
// must be near (Fresh), and a value must be new (Once; the caller of this
// package remembers it). A handshake is a call that is answered here and goes
// no further, such as the question whether an address is ours.
//
// In Over, Once, the Is of a line and the answer of a handshake {name} is a
// taken value or one of these:
//
//	{body}      the raw bytes of the body
//	{url}       the configured address, then the target as it came
//	{url.base}  the configured address alone: scheme, host, path prefix
//	{method}    GET, POST, …
//	{path}      the target up to its "?", as it came
//	{query}     what follows the "?", as it came
//	{form}      the decoded pairs of a form body, sorted, name and value run together
//
// A name may be followed by .sha256, .sha1, .md5, .crc32 or .hmac (the rule's
// own hash and key), and then by .hex or .base64. "{{" is a plain brace.
//
// # What has no switch
//
// A value that is taken stands exactly once: two headers, two JSON keys, two
// form fields or two query parameters of the name refuse the call. A proof may
// stand several times, and any one that verifies is enough. A time is ASCII
// digits, without sign or blank. {form} and form fields are read from a form
// body only. Proofs are compared as bytes, in constant time. Nothing that a
// call names is fetched: no certificate, no key set, no address. A JWT's
// algorithms are listed. An empty key, and an HMAC key that looks like PEM, is
// refused when the scheme is compiled.
//
// # Bounds
//
// What a call of a stranger can cost, at most:
//
//   - body: nothing is read before [Verifier.Head] passed; then
//     [Scheme.MaxSigned] bytes, or [MaxHandshake] where no proof came. A
//     [Budget] bounds the sum over all calls.
//   - work: [MaxRules] rules, for each [MaxKeys] keys times [MaxProofs] proofs,
//     each a comparison or one verification of a public-key signature, and one
//     pass over the body for each digest that the scheme names.
//   - memory: the body, and for ed25519 and {form} one copy of it; no more than
//     [MaxPairs] pairs of a query or form; no value over [MaxValue] bytes.
//   - JSON is scanned without recursion deeper than [maxDepth] and without a tree.
package signature

import (
	"time"

	"coatcheck/bff/credential"
)

// Bounds; see the package comment.
const (
	MaxRules     = 8        // rules, and handshakes, of one scheme
	MaxKeys      = 8        // keys of one rule
	MaxProofs    = 8        // proofs that are tried
	MaxPairs     = 1 << 10  // pairs of a query or a form
	MaxValue     = 16 << 10 // bytes of one value or proof
	MaxHandshake = 8 << 10  // bytes of an unproven handshake's body
	MaxEcho      = 1 << 10  // bytes of a value that a handshake repeats
	maxDepth     = 128      // levels of JSON
)

// Algorithms of [Rule.By].
const (
	HMACSHA1    = "hmac-sha1"
	HMACSHA256  = "hmac-sha256"
	HMACSHA384  = "hmac-sha384"
	HMACSHA512  = "hmac-sha512"
	Ed25519     = "ed25519"
	ECDSASHA256 = "ecdsa-sha256"
	RSASHA256   = "rsa-sha256"
	JWT         = "jwt"
	Equal       = "equal"
)

// Scheme is all that an operator says about how one caller signs.
type Scheme struct {
	// Caller is its name. Values of [Rule.Once] of two callers are never the same.
	Caller string
	// Rules are alternatives: any of them.
	Rules []Rule
	// Handshakes are answered here.
	Handshakes []Handshake
	// MaxSigned is the largest body that is verified, in bytes.
	MaxSigned int64
	// URL replaces the base of {url} where a reverse proxy changed host or path; may be empty.
	URL string
}

// Rule is one way to sign.
type Rule struct {
	Take       map[string]Place    // values of the call, by the names that other keys use
	Over       string              // what was signed; none for JWT and Equal
	By         string              // the way of signing, as the configuration names it
	Algorithms []string            // of a JWT: HS256, …, ES256, RS256, PS256, EdDSA
	Keys       []credential.Secret // any of them may have signed
	Encoding   string              // of the keys: text (default), base64, base64url, hex
	KeyPrefix  string              // in front of each key, before decoding
	Proof      Proof               // where the signature stands
	Fresh      map[string]Fresh    // by the name of a taken value
	Once       string              // text with {names}; a call that has the same again is a repetition; empty: none is
	Admit      []Line              // all must hold of a verified call
}

// Place is somewhere in a call. Exactly one of the first six is named.
type Place struct {
	Pointer *string // RFC 6901, into a JSON body; "" is the whole
	Header  string  // a name, in any case
	Query   string  // a parameter, decoded
	Form    string  // a field of a form in the body (application/x-www-form-urlencoded), decoded
	Basic   string  // user, password
	Claim   string  // of the proof, a verified JWT: a name, or a pointer

	Split  string // cuts the value into parts, whose blanks at the ends are removed
	Prefix string // only parts that begin so count, without it
}

// Proof is where the signature stands.
type Proof struct {
	Place
	Encoding string // hex (default), base64, base64url, text (default of JWT and Equal)
}

// Fresh bounds how far a time may be from now, in either direction.
type Fresh struct {
	Within time.Duration // 1 s to 24 h
	Unit   string        // s (default), ms, rfc3339, http
}

// Line must hold: what stands at At is one of Is, or, without Is, is there and
// is not null, false, "" or empty.
type Line struct {
	// At is where the value stands.
	At *Place
	// Is holds nil, bool, int64, uint64, float64, [json.Number] and string; a string may hold {names}.
	Is []any
}

// Handshake is a call that is answered here and goes no further.
type Handshake struct {
	Admit  []Line           // all must hold of the call
	Take   map[string]Place // values for the answer, by name
	Answer Answer           // with status 200
}

// Answer is what a handshake answers with status 200. Exactly one is named. A
// text in it may hold {names}.
type Answer struct {
	Text    string            // text/plain
	JSON    any               // map[string]any, []any and scalars
	Headers map[string]string // by name
}

// Headers is how the fields of a call are read; net/http.Header is one. Names
// are looked up without regard to case.
type Headers interface{ Values(name string) []string }

// Call is what a scheme sees of a request.
type Call struct {
	Method string  // in upper case, as it came
	Target string  // as it came: path, and query behind "?"
	Base   string  // the configured origin: https://shop.example.com
	Header Headers // the fields
	Body   []byte  // the whole of it; ignored by [Verifier.Head]
	Length int64   // of the body, as the head announces it; -1 where it does not
}
