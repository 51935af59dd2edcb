package configs

import (
	"net/netip"
	"time"

	"coatcheck/bff/credential"
)

// Config is a whole configuration file. It is immutable once package read returned it.
//
// The tags are the one source for three things: what the decoder accepts
// (`yaml`), what stands there when the file says nothing (`default`), and the
// closed lists of words (`enum`); `restart` marks what a running process cannot
// change ([NeedRestart]). The JSON Schema and the reference are made from
// the same tags and from the comments.
type Config struct {
	// Address of the public listener, host:port; an empty host is every address. Or a Unix socket: unix:/run/coatcheck.sock, with ?mode=0660 behind it. A change needs a restart.
	Listen string `yaml:"listen" default:":8080" restart:"true" like:":8080"`
	// TLS for the public listener; without it, plain HTTP (behind a reverse proxy that terminates TLS). A change needs a restart; the files themselves are reread.
	TLS *TLS `yaml:"tls" restart:"true"`
	// Peers (CIDR or address) whose X-Forwarded-For and X-Forwarded-Host are believed. None by default. Whoever calls over a Unix socket is 127.0.0.1.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// Path answered 204 (draining: 503) on the public listener for any Host, such as /healthz. Empty: none.
	HealthPath string `yaml:"health_path" like:"/healthz"`
	// The operator's listener.
	Admin Admin `yaml:"admin"`
	// What is logged.
	Log Log `yaml:"log"`
	// How the process ends.
	Drain Drain `yaml:"drain"`
	// Bounds on what a connection may hold.
	Limits Limits `yaml:"limits"`
	// Where sessions lie and how long they live. Needed unless no frontend has pages.
	Sessions Sessions `yaml:"sessions"`
	// The APIs that Coatcheck calls, by name.
	Upstreams map[string]*Upstream `yaml:"upstreams" required:"true"`
	// Where people sign in at a page of somebody else, by name.
	Providers map[string]*Provider `yaml:"providers"`
	// Programs that call, by name.
	Callers map[string]*Caller `yaml:"callers"`
	// The browser applications that Coatcheck serves, and doors for programs, by name.
	Frontends map[string]*Frontend `yaml:"frontends" required:"true"`

	// Source tells where each value stood in the file; see [Source].
	Source *Source `yaml:"-"`
}

// TLS names the certificate of the public listener. The files are reread when they change.
type TLS struct {
	// Certificate chain, PEM.
	Cert string `yaml:"cert" required:"true"`
	// Private key, PEM.
	Key string `yaml:"key" required:"true"`
}

// Admin is the operator's listener: health, metrics, session administration.
type Admin struct {
	// Address of the admin listener, or a Unix socket, as listen; never the public one. A change needs a restart.
	Listen string `yaml:"listen" default:"127.0.0.1:9090" restart:"true" like:"127.0.0.1:9090"`
	// Bearer token of the admin API; without one that API answers 404. Health and metrics need none.
	Token credential.Secret `yaml:"token"`
}

// Log says what is logged.
type Log struct {
	// Least level that is written.
	Level string `yaml:"level" default:"info" enum:"debug|info|warn|error"`
}

// Drain says how long the process takes to end.
type Drain struct {
	// How long /readyz says 503 while calls are still taken, so that load balancers look away first.
	Delay time.Duration `yaml:"delay" default:"5s" min:"0s" max:"1h"`
	// How long calls at work may take to finish after that.
	Timeout time.Duration `yaml:"timeout" default:"30s" min:"0s" max:"1h"`
}

// Limits bounds what one connection may hold.
type Limits struct {
	// Bytes of a request head, request line included; more is 431.
	Header Size `yaml:"header" default:"16KiB" min:"1KiB" max:"1MiB"`
	// Time from a head's first byte to its last; longer is 408.
	HeaderTimeout time.Duration `yaml:"header_timeout" default:"10s" min:"1ms" max:"1h"`
	// Silence allowed inside a request body.
	BodyIdle time.Duration `yaml:"body_idle" default:"30s" min:"1ms" max:"1h"`
	// How long an idle connection is kept.
	KeepAlive time.Duration `yaml:"keep_alive" default:"75s" min:"1ms" max:"24h"`
}

// Sessions says where sessions lie and how long they live.
type Sessions struct {
	// Store URL: memory:// | file:///path | redis:// | rediss:// | redis-sentinel://h1,h2/master/0 | redis-cluster://h1,h2 | unix:///run/redis.sock. A change needs a restart.
	Store credential.Secret `yaml:"store" required:"true" restart:"true" like:"redis://localhost:6379/0"`
	// First part of every key in the store. A change needs a restart.
	Prefix string `yaml:"prefix" default:"coatcheck" restart:"true"`
	// Sealing keys, at least 32 bytes each: the first seals, all of them open.
	Keys []credential.Secret `yaml:"keys" required:"true"`
	// Ends a session that makes no call for so long.
	IdleTimeout time.Duration `yaml:"idle_timeout" default:"30m" min:"1s" max:"9600h"`
	// Ends a session whatever it does.
	MaxLifetime time.Duration `yaml:"max_lifetime" default:"12h" min:"1s" max:"9600h"`
	// How old a replica's own knowledge of a session may be, 0s to 5s; 0 asks the store on every call.
	NearCache time.Duration `yaml:"near_cache" default:"1s" min:"0s" max:"5s"`
	// Sessions per person and frontend, the oldest ends; 0 = no limit.
	MaxPerPerson int `yaml:"max_per_person" default:"0" min:"0" max:"10000"`
}

// Frontend is one browser application, or, without origins, a door for programs.
type Frontend struct {
	// Origins of its pages in serialised form: https://shop.example.com; or https://*.preview.example.com, where the star is one whole label under a domain of your own. None: a door without pages, which needs a host.
	Origins []string `yaml:"origins" like:"https://shop.example.com"`
	// Host its calls come to, with a port where browsers need one: api.example.com:8443; on loopback over plain http that is the listener's. By default the origins' own hosts.
	Host string `yaml:"host" like:"api.example.com"`
	// Path prefix in front of /bff and of the routes, for several frontends on one host.
	BasePath string `yaml:"base_path" like:"/shop"`
	// The session cookie.
	Cookie Cookie `yaml:"cookie"`
	// max-age of Strict-Transport-Security on answers of https frontends; 0 = none. A refusal before the frontend is known has the longest of its host.
	HSTS time.Duration `yaml:"hsts" default:"8760h" min:"0s" max:"87600h"`
	// How people sign in here. Needed where there are origins.
	Login FrontendLogin `yaml:"login"`
	// Bounds on failed sign-ins.
	Throttle Throttle `yaml:"throttle"`
	// Name under which several frontends of one sign-in count failed sign-ins together; without it each counts for itself.
	SharedThrottle string `yaml:"shared_throttle"`
	// Whether unsafe methods must send X-CSRF: 1 (or X-XSRF-TOKEN).
	CSRFHeader string `yaml:"csrf_header" default:"unsafe" enum:"off|unsafe"`
	// Additions to what the shared-host layout answers.
	CORS CORS `yaml:"cors"`
	// The application's own files, if Coatcheck serves them.
	SPA *SPA `yaml:"spa"`
	// Path prefixes and the upstreams they lead to.
	Routes []*Route `yaml:"routes"`
}

// Cookie is the session cookie of a frontend. It is always Path=/, HttpOnly, Secure and host-only.
type Cookie struct {
	// Name, beginning with __Host-; by default __Host-Http- and the name of the frontend.
	Name string `yaml:"name" like:"__Host-Http-shop"`
	// SameSite attribute.
	SameSite string `yaml:"same_site" default:"strict" enum:"strict|lax"`
	// Whether the cookie outlives the browser: Max-Age = sessions.max_lifetime. false unless said; the name of a boolean sign-in field: for those who send true in it.
	Persistent Persistence `yaml:"persistent"`
}

// FrontendLogin says how people sign in at a frontend.
type FrontendLogin struct {
	// Upstream that signs people in, or whose tokens the provider gives.
	Upstream string `yaml:"upstream" required:"true"`
	// Provider at whose page people sign in, or a list of them.
	Provider Names `yaml:"provider"`
	// Fields of the sign-in body; a trailing "?" marks an optional one, ": bool" or ": number" another JSON value than text ("remember?: bool"). Needed unless there is a provider.
	Fields []string `yaml:"fields"`
	// Other ways in that are offered here: names of the upstream's ways.
	Ways []string `yaml:"ways"`
	// Exchanges that are offered to people who are signed in here: names of the upstream's exchanges.
	Exchanges []string `yaml:"exchanges"`
	// Path of a page that is shown when a sign-in at a provider fails; default: a page of Coatcheck's.
	ErrorPath string `yaml:"error_path"`
	// Fields of the user that a browser may see, and places inside them: [id, /realm_access/roles].
	Expose []string `yaml:"expose"`
}

// Throttle bounds failed sign-ins within a window.
type Throttle struct {
	// Failed sign-ins per account.
	Account int `yaml:"account" default:"10" min:"1" max:"1000000"`
	// Failed sign-ins per client address (IPv6: per /64).
	Address int `yaml:"address" default:"100" min:"1" max:"1000000"`
	// The window they are counted in.
	Window time.Duration `yaml:"window" default:"5m" min:"1s" max:"24h"`
}

// CORS adds to what the shared-host layout answers.
type CORS struct {
	// Request headers that pages may send besides the standard ones.
	AllowHeaders []string `yaml:"allow_headers"`
	// Answer headers that pages may read besides the standard ones.
	ExposeHeaders []string `yaml:"expose_headers"`
}

// SPA says where the application's own files come from. Exactly one of Dir and Proxy.
type SPA struct {
	// Directory of built files.
	Dir string `yaml:"dir"`
	// What answers a navigation that no file does: the index.html of a single-page application (spa), or 404.html (files); auto: files where 404.html exists and is not a copy of index.html.
	Pages string `yaml:"pages" default:"auto" enum:"auto|spa|files"`
	// URL of a development server.
	Proxy string `yaml:"proxy" like:"http://localhost:5173"`
	// Content-Security-Policy of the documents in dir; empty: none.
	CSP string `yaml:"csp" default:"base-uri 'self'; object-src 'none'; frame-ancestors 'self'"`
}

// Route leads a path prefix of a frontend, or one path, to an upstream.
type Route struct {
	// Path prefix, ending in "/": takes everything below it. Without "/" at the end: this one path. The longest route wins.
	Path string `yaml:"path" required:"true" like:"/api/"`
	// Upstream it leads to.
	Upstream string `yaml:"upstream" required:"true"`
	// Replaces the prefix, or the one path; without it the path goes on whole (without base_path).
	Rewrite *string `yaml:"rewrite" like:"/"`
	// Methods that are let through; also those of WebDAV (PROPFIND, …), QUERY, LINK and UNLINK.
	Methods []string `yaml:"methods" default:"GET|HEAD|POST|PUT|PATCH|DELETE"`
	// Whether a call needs a session.
	Session string `yaml:"session" default:"required" enum:"required|optional|none"`
	// Programs that may call. With session: required a session or one of them, with none one of them.
	Callers []string `yaml:"callers"`
	// Whether the token goes along; default: true for the frontend's login.upstream (but with session: none), false for another.
	SendToken *bool `yaml:"send_token"`
	// Whether WebSockets are tunnelled.
	WebSocket bool `yaml:"websocket" default:"false"`
	// Headers of pages that go on although their names have other characters than letters, digits and single hyphens: [__tenant, Abp.TenantId]. Never one that is held back for safety.
	PassHeaders []string `yaml:"pass_headers" like:"__tenant"`
	// What happens to %2F and %5C (an encoded backslash) in a path.
	EncodedSlash string `yaml:"encoded_slash" default:"refuse" enum:"refuse|pass"`
	// From the last request byte sent to the upstream's answer head.
	HeaderTimeout time.Duration `yaml:"header_timeout" default:"30s" min:"1ms" max:"1h"`
	// Silence allowed inside a body or stream, either way.
	IdleTimeout time.Duration `yaml:"idle_timeout" default:"5m" min:"1ms" max:"24h"`
	// Largest request body; 0 = no limit.
	MaxBody Size `yaml:"max_body" default:"32MiB" min:"0" max:"1TiB"`
	// Whether unsafe methods of this route must send X-CSRF: 1; default: the frontend's.
	CSRFHeader string `yaml:"csrf_header" enum:"off|unsafe"`
	// Whether other sites may lead to what GET answers here, by a link or a download; needs isolate, and for people who are signed in cookie.same_site: lax.
	Navigation string `yaml:"navigation" default:"refuse" enum:"refuse|allow"`
	// Whether a call here prolongs the session's idle time. A page's own polls can say so too: Coatcheck-Extend: false.
	Extend bool `yaml:"extend" default:"true"`
	// Whether an answer that seems to hold a token of this upstream is refused (502 token_in_answer); otherwise it is logged and counted. JSON of at most 64 KiB is looked at.
	BlockTokens bool `yaml:"block_tokens" default:"false"`
	// Whether answers are kept from becoming documents on the frontend's origin.
	Isolate bool `yaml:"isolate" default:"true"`
	// Whether the guard looks at calls; false only where session: none.
	Guard bool `yaml:"guard" default:"true"`
}

// Size is a number of bytes, written 10MiB, 16KiB, 1GiB or plain.
type Size int64
