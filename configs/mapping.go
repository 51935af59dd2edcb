package configs

import (
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// Upstream is one API: where it is, how it signs people in, what carries them.
type Upstream struct {
	// Scheme, host, optional base path; or unix:/run/api.sock, with :/path behind it for a base path. Nothing a browser sends can change it.
	URL string `yaml:"url" required:"true" like:"https://api.example.net"`
	// Host header sent to the API, host[:port]; by default the URL's. Connections go to the URL's all the same.
	Host string `yaml:"host" like:"api.example.net"`
	UpstreamTransport
	// What carries the person on calls. Default: Authorization: Bearer {access_token}, unless a header, the query or a cookie is named.
	Send *Send `yaml:"send"`
	// What says who calls, besides X-Forwarded-*: rfc7239 adds Forwarded: for=…;host=…;proto=…. One that a browser sent never passes.
	Forwarded string `yaml:"forwarded" default:"none" enum:"none|rfc7239"`
	// Cookies by which the API's load balancer keeps a caller on one machine: [AWSALB]. Kept in the session, or in the process, and sent back; never in a browser.
	Sticky []string `yaml:"sticky" like:"AWSALB"`
	// Paths reachable through no route, besides the sign-in paths.
	PrivatePaths []string `yaml:"private_paths" like:"/admin"`
	// How Coatcheck itself signs in, for callers, by name.
	Accounts map[string]*Account `yaml:"accounts"`
	// How a person signs in.
	Login *Login `yaml:"login"`
	// Other ways in than login, by name, such as a sign-up. A frontend offers those that its login.ways lists.
	Ways map[string]*Way `yaml:"ways"`
	// How people who are signed in get another credential, by name: an organisation switched, a password changed. A frontend offers those that its login.exchanges lists.
	Exchanges map[string]*Way `yaml:"exchanges"`
	// How the token is renewed.
	Refresh *Refresh `yaml:"refresh"`
	// How the API is notified of a sign-out, best effort.
	Logout *Logout `yaml:"logout"`
	// Answers of proxied calls that say "this token is dead" beside a 401: it is renewed, and the call repeated once where it may be.
	Stale []mapping.Sign `yaml:"stale"`
	// Asking the API whether a token still lives, after a refusal that speaks against it.
	Verify *Verify `yaml:"verify"`
	// A token of its own that the person's provider gives for this API (RFC 8693), in place of the session's; send_token: true at its routes.
	Exchange *TokenExchange `yaml:"exchange"`
	// Whether the API takes tokens that are bound to a key (DPoP, RFC 9449). Such a token is sent as Authorization: DPoP with a proof for each call, whatever send says of Bearer.
	DPoP bool `yaml:"dpop" default:"false"`
}

// UpstreamTransport is how the API is reached: TLS, the way there, and the connections
// that are kept. Its keys stand among the upstream's.
type UpstreamTransport struct {
	// Name that the API's certificate must have, and that TLS asks for (SNI); by default the URL's host.
	TLSServerName string `yaml:"tls_server_name" like:"api.example.net"`
	// Allows http:// to an address off loopback.
	InsecureHTTP bool `yaml:"insecure_http" default:"false"`
	// Forward proxy on the way there, http(s)://[user:password@]host:port: ${HTTPS_PROXY:-}. https goes through a tunnel, http in absolute form. Empty: none; the environment's own is never asked.
	Proxy credential.Secret `yaml:"proxy" like:"http://proxy.example.com:3128"`
	// Time to open a connection, TLS included.
	ConnectTimeout time.Duration `yaml:"connect_timeout" default:"3s" min:"1ms" max:"5m"`
	// Most connections open at once, one for each stream and WebSocket among them. Where none is free, a call waits for connect_timeout, then gets 503.
	MaxConnections int `yaml:"max_connections" default:"1024" min:"1" max:"1000000"`
	// Most WebSockets and event streams of one session at once; a further one is refused (429). Unless given, at most a quarter of max_connections.
	StreamsPerSession int `yaml:"streams_per_session" default:"64" min:"1" max:"1000000"`
	// Whose calls may use a kept connection again: those of any caller, or of the same person's session only (calls without a session share theirs). person costs connections; see SECURITY.md.
	Reuse string `yaml:"reuse" default:"any" enum:"any|person"`
	// PEM file of the authorities that are trusted instead of the system's.
	CA string `yaml:"ca"`
	// PEM files for mutual TLS; both or none.
	ClientCert string `yaml:"client_cert"`
	// Key of client_cert.
	ClientKey string `yaml:"client_key"`
}

// Send is what carries the person on calls to an upstream.
type Send struct {
	// Headers with {names} of the credential, and constants. Sec-WebSocket-Protocol is a list, put behind what the page offers.
	Headers map[string]mapping.Template `yaml:"headers"`
	// Parameters of the query with {names}, and constants; each in place of the browser's of that name. Never logged.
	Query map[string]mapping.Template `yaml:"query"`
	// Cookies with {names}, and constants. The browser's own cookies never pass. cookies is the same key.
	Cookie map[string]mapping.Template `yaml:"cookie" also:"cookies"`
	// What is put into the first message of a WebSocket.
	Socket *SendSocket `yaml:"socket"`
	// Headers removed from proxied answers, beside those that carry or hold what was taken at sign-in.
	Hide []string `yaml:"hide"`
}

// SendSocket is what carries the person in the first message of a WebSocket, such as connection_init of GraphQL.
type SendSocket struct {
	// An object that is laid over the first message, which must be JSON; {names} may stand in its texts.
	JSON mapping.Body `yaml:"json" required:"true"`
}

// Message is what is laid over the first message of a WebSocket; an empty body: nothing.
func (s *Send) Message() mapping.Body {
	if s.Socket == nil {
		return mapping.Body{}
	}
	return s.Socket.JSON
}

// Login says how a person signs in at an upstream.
type Login struct {
	// Bound on the whole exchange.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request.
	Request *mapping.Request `yaml:"request" required:"true"`
	// Statuses that mean "wrong credentials"; default 400, 401, 403, 422, or none where answers are given.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// What other answers mean; the first match counts.
	Answers []mapping.Rule `yaml:"answers"`
	// Where the answer holds the token and its companions.
	Credential map[string]mapping.Place `yaml:"credential" required:"true"`
	// Where the person is described.
	User *User `yaml:"user"`
	// Second factors and token exchanges, by name.
	Steps map[string]*Step `yaml:"steps"`

	// Presumed says that Rejected is a default; see [mapping.Rules].
	Presumed bool `yaml:"-"`
}

// Way is how people get a credential otherwise than by login. What it does not name is login's.
type Way struct {
	// Fields of the body that the page posts; a trailing "?" marks an optional one, ": bool" or ": number" another JSON value than text. The first names the account for the throttle; an exchange may have none.
	Fields []string `yaml:"fields"`
	// Bound on each request.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request. An exchange's knows the session's own values, {access_token} among them, and carries send.
	Request *mapping.Request `yaml:"request" required:"true"`
	// As login's, which are the default.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// As login's, which are the default.
	Answers *[]mapping.Rule `yaml:"answers"`
	// As login's, which are the default. What an exchange's answer lacks keeps its old value.
	Credential map[string]mapping.Place `yaml:"credential"`
	// As login's, which is the default. Where an exchange's answer describes nobody, the person stays as they are.
	User *User `yaml:"user"`
	// As login's, which are the default. An exchange has none that ask the person.
	Steps map[string]*Step `yaml:"steps"`

	// Presumed says that Rejected is a default; see [mapping.Rules].
	Presumed bool `yaml:"-"`
}

// Refresh says how the token is renewed.
type Refresh struct {
	// Bound on the whole exchange, and on how long a call waits for it.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request.
	Request *mapping.Request `yaml:"request" required:"true"`
	// Statuses that mean "the refresh token is dead". Default, without answers: 400 or 401 with /error = invalid_grant.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// What other answers mean; the first match counts.
	Answers []mapping.Rule `yaml:"answers"`
	// Where the answer holds the new values; default: login's places.
	Credential map[string]mapping.Place `yaml:"credential"`
	// Where the answer describes the person; default: login's, but for a request of its own. Where nobody is described there, the person stays as they are.
	User *User `yaml:"user"`
	// Refresh when less than this is left.
	Before time.Duration `yaml:"before" default:"30s" min:"0s" max:"8760h"`
}

// Logout tells the API that a person signed out.
type Logout struct {
	// Bound on the whole exchange.
	Timeout time.Duration `yaml:"timeout" default:"5s" min:"1ms" max:"10m"`
	// The request.
	Request *mapping.Request `yaml:"request" required:"true"`
}

// Verify asks the API whether a token still lives.
type Verify struct {
	// Statuses of proxied calls after which is asked.
	After []int `yaml:"after" default:"401" min:"100" max:"599"`
	// Bound on the whole exchange.
	Timeout time.Duration `yaml:"timeout" default:"10s" min:"1ms" max:"10m"`
	// The request; GET unless its method says otherwise.
	Request *mapping.Request `yaml:"request" required:"true"`
	// Statuses that mean "dead".
	Rejected []int `yaml:"rejected" default:"401" min:"100" max:"599"`
	// What other answers mean; the first match counts.
	Answers []mapping.Rule `yaml:"answers"`

	// Presumed says that Rejected is a default; see [mapping.Rules].
	Presumed bool `yaml:"-"`
}

// User says where the person is described.
type User struct {
	// response: the sign-in answer; jwt: claims of a token; request: a request of its own.
	From string `yaml:"from" default:"response" enum:"response|jwt|request"`
	// Pointer to the user in that document; "" is all of it.
	At string `yaml:"at"`
	// Pointer, below At, to what identifies the person permanently. Default: /sub for jwt, else /id.
	Subject string `yaml:"subject"`
	// Place of the JWT in the sign-in answer; default: the access token.
	Token *mapping.Place `yaml:"token"`
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
	Keep map[string]mapping.Place `yaml:"keep"`
	// The request.
	Request *mapping.Request `yaml:"request" required:"true"`
	// As login's, which are the default.
	Rejected []int `yaml:"rejected" min:"100" max:"599"`
	// As login's, which are the default.
	Answers *[]mapping.Rule `yaml:"answers"`
	// As login's, which are the default.
	Credential map[string]mapping.Place `yaml:"credential"`

	// Presumed says that Rejected is a default; see [mapping.Rules].
	Presumed bool `yaml:"-"`
}
