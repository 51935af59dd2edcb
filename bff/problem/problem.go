// Package problem holds every answer of Coatcheck's own that is not a success, as the
// browser sees it (RFC 9457).
//
// A [Problem] is an error, so that any room can return one and a single place renders
// it. Everything in it is a constant of this program or its configuration: no text from a request, an API
// or another error ever gets into one. The answers of the raw gate stand in package
// gate, because they are written before there is a request.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Problem is one answer. Treat the package's variables as constants; [Problem.With]
// makes a changed copy.
type Problem struct {
	// Status is the HTTP status.
	Status int
	// Code names the problem for programs; it never changes its meaning.
	Code string
	// Detail is one sentence for people.
	Detail string
	// Heading is the heading of the page; empty: one by the status.
	Heading string

	// Reason says why a session is dead, where that is known.
	Reason string
	// Fields are names of sign-in fields that the API found wrong.
	Fields []string
	// RetryAfter is when to try again; 0 means that the answer does not say.
	RetryAfter time.Duration
	// Allow lists the methods that would pass, on a 405.
	Allow string
}

// Error implements error with the code.
func (p *Problem) Error() string { return p.Code }

// Is makes a changed copy match the constant it was made of.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Code == p.Code
}

// With returns a copy of p, changed.
func (p *Problem) With(change func(*Problem)) *Problem {
	q := *p
	change(&q)
	return &q
}

// Because is p with a reason for the log. The reason must hold no byte of a request.
func (p *Problem) Because(reason string) error { return because{p, reason} }

type because struct {
	problem *Problem
	reason  string
}

func (b because) Error() string { return b.problem.Code + ": " + b.reason }

func (b because) Unwrap() error { return b.problem }

// AllowOnly is [MethodNotAllowed] with its Allow header (RFC 9110 §15.5.6).
func AllowOnly(methods string) *Problem {
	return MethodNotAllowed.With(func(p *Problem) { p.Allow = methods })
}

func define(status int, code, detail string) *Problem {
	return &Problem{Status: status, Code: code, Detail: detail}
}

// The problems, in the order of their status.
var (
	BadRequest           = define(400, "bad_request", "The request is not valid for this address.")
	BadPath              = define(400, "bad_path", "The path is ambiguous.")
	BadReturnTo          = define(400, "bad_return_to", "The page to return to is not one of this frontend's.")
	LoginExpired         = define(400, "login_expired", "The sign-in took too long, or was started again elsewhere.")
	LoginElsewhere       = define(400, "login_elsewhere", "The sign-in was started in another browser.")
	FrontendUndetermined = define(400, "frontend_undetermined", "The request does not say which frontend it belongs to.")
	TwoCredentials       = define(400, "two_credentials", "The request carries more than one proof of who calls.")
	NotAuthenticated     = define(401, "not_authenticated", "Nobody is signed in.")
	SessionExpired       = define(401, "session_expired", "The session has ended.")
	InvalidCredentials   = define(401, "invalid_credentials", "The credentials were not accepted.")
	MFARequired          = define(401, "mfa_required", "A further factor is needed.")
	CallerUnknown        = define(401, "caller_unknown", "The request does not prove which program calls.")
	SignatureInvalid     = define(401, "signature_invalid", "The request's signature is not valid.")
	OriginNotAllowed     = define(403, "origin_not_allowed", "Pages of this origin may not call here.")
	CrossSiteRequest     = define(403, "cross_site_request", "The request was not made by the frontend's own pages.")
	CSRFHeaderMissing    = define(403, "csrf_header_missing", "The header X-CSRF: 1 is missing.")
	NavigationRequired   = define(403, "navigation_required", "This address is for browsers that open it as a page.")
	PrefetchRefused      = define(403, "prefetch_refused", "This address may not be fetched ahead of time.")
	LoginRefused         = define(403, "login_refused", "The sign-in was refused or cancelled.")
	NotAdmitted          = define(403, "not_admitted", "This person may not sign in here.")
	ExchangeRefused      = define(403, "exchange_refused", "The provider gives this person no token for the API.")
	ForbiddenDestination = define(403, "forbidden_destination", "An API's response may not be loaded as a script or a worker.")
	KeyInBrowser         = define(403, "key_in_browser", "A key must not be used from a browser.")
	CallerNotAllowed     = define(403, "caller_not_allowed", "This program may not make this call.")
	AccountLocked        = define(403, "account_locked", "The account is locked.")
	AccountDisabled      = define(403, "account_disabled", "The account is disabled.")
	AccountUnverified    = define(403, "account_unverified", "The account is not confirmed yet.")
	PasswordExpired      = define(403, "password_expired", "The password has expired.")
	NotFound             = define(404, "not_found", "There is nothing here.")
	MethodNotAllowed     = define(405, "method_not_allowed", "The method is not allowed here.")
	RequestTimeout       = define(408, "request_timeout", "The request's body did not arrive in time.")
	BodyTooLarge         = define(413, "body_too_large", "The request's body is too large.")
	UnsupportedMediaType = define(415, "unsupported_media_type", "Only application/json is accepted here.")
	UnknownHost          = define(421, "unknown_host", "No frontend is configured for this host.")
	InvalidFields        = define(422, "invalid_fields", "The API rejected some fields.")
	TooManyAttempts      = define(429, "too_many_attempts", "Too many failed sign-ins. Try again later.")
	TooManyStreams       = define(429, "too_many_attempts", "This session has too many streams open. Close some first.").With(func(p *Problem) { p.RetryAfter = 5 * time.Second })
	TooManyRequests      = define(429, "too_many_requests", "This program calls too often. Try again later.")
	VerifyingTooMuch     = define(429, "too_many_requests", "Too many calls are being verified at the moment. Try again soon.").With(func(p *Problem) { p.RetryAfter = 2 * time.Second })
	BrowserLeft          = define(499, "browser_left", "Nobody reads this.")
	Internal             = define(500, "internal", "Something went wrong here.")
	LoginFailed          = define(502, "login_failed", "The provider's response is not usable.")
	ExchangeFailed       = define(502, "exchange_failed", "The provider's response is not usable.")
	ProviderUnreachable  = define(502, "provider_unreachable", "The provider cannot be reached.")
	UpstreamUnreachable  = define(502, "upstream_unreachable", "The API cannot be reached.")
	UpstreamInvalid      = define(502, "upstream_invalid", "The API's response is not usable.")
	TokenInAnswer        = define(502, "token_in_answer", "The API's response holds what a page must not read.")
	StoreUnavailable     = define(503, "store_unavailable", "Sessions cannot be read at the moment. Nothing is lost.")
	AccountUnavailable   = define(503, "account_unavailable", "The API does not let this program's account in at the moment.")
	EventAtWork          = define(503, "upstream_unavailable", "The same event is being handled at the moment.").With(func(p *Problem) { p.RetryAfter = 5 * time.Second })
	UpstreamUnavailable  = define(503, "upstream_unavailable", "The API is not answering at the moment.")
	UpstreamBusy         = define(503, "upstream_unavailable", "All connections to the API are in use at the moment.").With(func(p *Problem) { p.RetryAfter = time.Second })
	UpstreamNonce        = define(503, "upstream_unavailable", "The API wants this call once more.").With(func(p *Problem) { p.RetryAfter = time.Second })
	PagesUnreadable      = define(503, "upstream_unavailable", "The application's files cannot be read at the moment.").With(func(p *Problem) { p.RetryAfter = time.Second })
	KeysUnavailable      = define(503, "provider_unreachable", "The provider's keys are not available at the moment.").With(func(p *Problem) { p.RetryAfter = 2 * time.Second })
	Draining             = define(503, "draining", "This process is shutting down.").With(func(p *Problem) { p.RetryAfter = time.Second })
	ProviderTimeout      = define(504, "provider_unreachable", "The provider did not answer in time.")
	UpstreamTimeout      = define(504, "upstream_timeout", "The API did not answer in time.")
)

// Document renders p as application/problem+json. requestID must be of our making, or
// checked: it is the one value that is not a constant.
func (p *Problem) Document(requestID string) []byte {
	b, _ := json.Marshal(struct { // strings and numbers: cannot fail
		Type      string   `json:"type"`
		Title     string   `json:"title"`
		Status    int      `json:"status"`
		Code      string   `json:"code"`
		Reason    string   `json:"reason,omitempty"`
		Fields    []string `json:"fields,omitempty"`
		Detail    string   `json:"detail"`
		RequestID string   `json:"request_id"`
	}{"about:blank", http.StatusText(p.Status), p.Status, p.Code, p.Reason, p.Fields, p.Detail, requestID})
	return b
}

// RetryAfterSeconds is the value of Retry-After: whole seconds, rounded up, at least 1.
func (p *Problem) RetryAfterSeconds() string {
	return strconv.Itoa(max(1, int((p.RetryAfter+time.Second-1)/time.Second)))
}
