package configs

import (
	"time"

	"coatcheck/bff/credential"
)

// Upstream is one API: where it is, how it signs people in, what carries them.
type Upstream struct {
	// Scheme, host, optional base path. Nothing a browser sends can change it.
	URL string `yaml:"url" required:"true"`
	// Allows http:// to an address off loopback.
	InsecureHTTP bool `yaml:"insecure_http" default:"false"`
	// Time to open a connection, TLS included.
	ConnectTimeout time.Duration `yaml:"connect_timeout" default:"3s" min:"1ms" max:"5m"`
	// Most connections open at once, one for each stream and WebSocket among them. Where none is free, a call waits for connect_timeout.
	MaxConnections int `yaml:"max_connections" default:"1024" min:"1" max:"1000000"`
	// PEM file of the authorities that are trusted instead of the system's.
	CA string `yaml:"ca"`
	// PEM files for mutual TLS; both or none.
	ClientCert string `yaml:"client_cert"`
	// Key of client_cert.
	ClientKey string `yaml:"client_key"`
	// What carries the person on calls. Default: Authorization: Bearer {access_token}.
	Send *Send `yaml:"send"`
	// Paths reachable through no route, besides the sign-in paths.
	PrivatePaths []string `yaml:"private_paths"`
	// How Coatcheck itself signs in, for callers, by name.
	Accounts map[string]*Account `yaml:"accounts"`
	// How a person signs in.
	Login *Login `yaml:"login"`
	// How the token is renewed.
	Refresh *Refresh `yaml:"refresh"`
	// How the API is told that a person signed out, best effort.
	Logout *Logout `yaml:"logout"`
	// Asking the API whether a token still lives, where there is no refresh.
	Verify *Verify `yaml:"verify"`
}

// Send is what carries the person on calls to an upstream.
type Send struct {
	// Headers with {names} of the credential, and constants.
	Headers map[string]Template `yaml:"headers"`
	// Headers removed from proxied answers.
	Hide []string `yaml:"hide"`
}

// Template is text with {names} in it. It may hold an operator's secret.
type Template struct{ credential.Secret }

// Login says how a person signs in at an upstream.
type Login struct {
	// Bound on the whole exchange.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request.
	Request *Request `yaml:"request" required:"true"`
	// Statuses that mean "wrong credentials"; default 400, 401, 403, 422, or none where answers are given.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// What other answers mean; the first match counts.
	Answers []Answer `yaml:"answers"`
	// Where the answer holds the token and its companions.
	Credential map[string]Place `yaml:"credential" required:"true"`
	// Where the person is described.
	User *User `yaml:"user"`
	// Second factors and token exchanges, by name.
	Steps map[string]*Step `yaml:"steps"`
}

// Refresh says how the token is renewed.
type Refresh struct {
	// Bound on the whole exchange, and on how long a call waits for it.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request.
	Request *Request `yaml:"request" required:"true"`
	// Statuses that mean "the refresh token is dead". Default, without answers: 400 or 401 with /error = invalid_grant.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// What other answers mean; the first match counts.
	Answers []Answer `yaml:"answers"`
	// Where the answer holds the new values; default: login's places.
	Credential map[string]Place `yaml:"credential"`
	// Refresh when less than this is left.
	Before time.Duration `yaml:"before" default:"30s" min:"0s" max:"8760h"`
}

// Logout tells the API that a person signed out.
type Logout struct {
	// Bound on the whole exchange.
	Timeout time.Duration `yaml:"timeout" default:"5s" min:"1ms" max:"10m"`
	// The request.
	Request *Request `yaml:"request" required:"true"`
}

// Verify asks the API whether a token still lives.
type Verify struct {
	// Statuses of proxied calls after which is asked.
	After []int `yaml:"after" default:"401" min:"100" max:"599"`
	// Bound on the whole exchange.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request; GET unless its method says otherwise.
	Request *Request `yaml:"request" required:"true"`
	// Statuses that mean "dead".
	Rejected []int `yaml:"rejected" default:"401" min:"100" max:"599"`
	// What other answers mean; the first match counts.
	Answers []Answer `yaml:"answers"`
}

// Request is one request to an API, with {names} to be put in.
type Request struct {
	// Method; POST unless named (GET for user and verify).
	Method string `yaml:"method"`
	// Path below the upstream's URL, as written, with {names}.
	Path string `yaml:"path" required:"true"`
	// Query parameters with {names}; never logged.
	Query map[string]Template `yaml:"query"`
	// Another upstream whose host, TLS and timeouts are used.
	Upstream string `yaml:"upstream"`
	// Client id and secret for HTTP Basic, form-encoded first (RFC 6749 §2.3.1).
	Basic []Template `yaml:"basic"`
	// Headers with {names}; they win over Coatcheck's own.
	Headers map[string]Template `yaml:"headers"`
	// How the body is written.
	Encoding string `yaml:"encoding" default:"json" enum:"json|form"`
	// The body; a value that is exactly {name} is replaced whole.
	Body Body `yaml:"body"`
}

// Body is a request body as written in the file: maps, lists and scalars. In it
// a string that is exactly "{name}" is replaced whole; other text stands as it is.
// It prints as a secret, because operators put client secrets there.
type Body struct{ value *any }

// Value returns the body as map[string]any, []any, string, int64, uint64,
// float64, bool or nil; ok is false where the file gives none. Callers do not change it.
func (b Body) Value() (value any, ok bool) {
	if b.value == nil {
		return nil, false
	}
	return *b.value, true
}

// NewBody makes a body of a decoded value.
func NewBody(value any) Body { return Body{&value} }

// String implements [fmt.Stringer]; it never prints the body.
func (Body) String() string { return "[secret]" }

// GoString implements [fmt.GoStringer]; it never prints the body.
func (Body) GoString() string { return "[secret]" }

// Answer says what an answer of the API means.
type Answer struct {
	// Status it must have; 0 = any.
	Status int `yaml:"status" min:"100" max:"599"`
	// Place that is looked at.
	At *Place `yaml:"at"`
	// What stands there: scalar, null, or a list of them, text with * at either end. Without it: there, and not null, false, "" or [].
	Is *Match `yaml:"is"`
	// The meaning.
	Means string `yaml:"means" enum:"invalid_credentials|mfa_required|account_locked|account_disabled|account_unverified|password_expired|invalid_fields|too_many_attempts|upstream_invalid|session_expired"`
	// The step that follows.
	Step string `yaml:"step"`
}

// Match is a list of scalars, each nil, bool, int64, uint64, float64 or string.
type Match struct{ Values []any }

// Place is somewhere in an answer: a JSON pointer (RFC 6901), a header, a cookie,
// or, with all three empty, the whole body.
type Place struct {
	// JSON pointer into the body; "" is the whole body.
	Pointer string `yaml:"at"`
	// Answer header.
	Header string `yaml:"header"`
	// Cookie that the answer sets.
	Cookie string `yaml:"cookie"`
	// Unit of a duration.
	Unit string `yaml:"unit" default:"s" enum:"s|ms"`
	// Whether proxied answers renew the value.
	Follow bool `yaml:"follow" default:"false"`
}

// User says where the person is described.
type User struct {
	// response: the sign-in answer; jwt: claims of a token; request: a request of its own.
	From string `yaml:"from" default:"response" enum:"response|jwt|request"`
	// Pointer to the user in that document; "" is all of it.
	At string `yaml:"at"`
	// Pointer, below At, to what names the person for ever. Default: /sub for jwt, else /id.
	Subject string `yaml:"subject"`
	// Place of the JWT in the sign-in answer; default: the access token.
	Token *Place `yaml:"token"`
	// Path of the request, with {names}; it must stay under the upstream's URL.
	Path string `yaml:"path"`
	// Bound on the exchange.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
}

// Step is what follows a first answer: fields a person fills in, or, with none, an exchange that runs by itself.
type Step struct {
	// Fields the page must send; none: runs by itself.
	Fields []string `yaml:"fields"`
	// Values of the earlier answer that the request needs.
	Keep map[string]Place `yaml:"keep"`
	// The request.
	Request *Request `yaml:"request" required:"true"`
	// As login's, which are the default.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// As login's, which are the default.
	Answers *[]Answer `yaml:"answers"`
	// As login's, which are the default.
	Credential map[string]Place `yaml:"credential"`
}
