// Package suite is the language of the cases: what a subject is, what a case says, and
// how a verdict comes about.
package suite

import (
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/world"
)

// Subject is one product as it runs. What is empty does not exist there.
type Subject struct {
	About
	Process
	// Address is where the end of TLS talks to: host and port. Edge is what it adds.
	Address string
	Edge    http.Header
	// Frontend is the first frontend, Other a second one at the same process.
	Frontend
	Other *Frontend
	// Form takes a sign-in as JSON.
	Form *Form
	// Provider: people sign in at the provider.
	Provider *Provider
	// WebSocket and Streams: the prefix carries them.
	WebSocket bool
	// Carrier is the header that brings the token to the API; "" is Authorization.
	Carrier string
	// Forwards is the path at which the API sees a path below the prefix; nil: the same.
	Forwards func(path string) string
	// Honest are headers that the product's own pages send with each call.
	Honest map[string]string
	// IsSession reports whether a cookie carries the session.
	IsSession func(name string) bool
	// Renews: tokens are renewed without the browser. RenewalWait is how old a session
	// with a token of three seconds must be for that.
	Renews      bool
	RenewalWait time.Duration
	// Cached is how long it may know a session without asking its store.
	Cached time.Duration
	// Patience is how long a connection that says nothing more may live; 0: 70 s.
	Patience time.Duration
	// Toy: it is the suite's own.
	Toy bool
	// Except are cases that do not apply, by id or by group, with the reason.
	Except map[string]string

	seen seen
}

// seen is what the cases found out of a subject, or started for it, once.
type seen struct {
	controlled bool
	real       *real
}

// About is what the report says of a subject.
type About struct {
	Name, Version, Settings string
}

// Process is what the suite knows of a subject beside its doors, and can do to it.
type Process struct {
	// Store can be cut off and given back; nil: sessions are in no store of their own.
	Store Store
	// Logs is what it printed so far; nil: unknown.
	Logs func() string
	// Restart ends and starts the process with the same settings; nil: not possible here.
	Restart func() error
	// Short starts it with sessions that end soon, which Lives tells; nil: not possible.
	Short Short
	Lives
}

// Frontend is one browser application as its pages see it.
type Frontend struct {
	// Origin of the pages, Base the origin of the calls: the same, but on a shared host.
	Origin, Base string
	// API is the proxied prefix, with slashes at both ends.
	API string
	// Me says who is signed in; Known reads its answer.
	Me    string
	Known func(a *browser.Answer) bool
	// LogoutMethod and Logout end the session.
	LogoutMethod, Logout string
	// LogoutFrom reads the address of the sign-out from who-am-I, where it is another for
	// each session; nil: it is Logout.
	LogoutFrom func(me *browser.Answer) string
	// Unsafe are headers with each call that is not safe, such as a CSRF token that has to
	// be asked for; nil: none.
	Unsafe func(tab *Tab) map[string]string
}

// Form is a sign-in by JSON.
type Form struct {
	Path string
	// Throttles: the failures after which it must hold; 0: it has no such limit.
	Throttles int
}

// Provider is a sign-in by navigation.
type Provider struct {
	// Login begins it; Callback is the redirect URI's path.
	Login, Callback string
	// ReturnTo is the parameter that says where to land; "": none.
	ReturnTo string
	// BackChannel takes logout tokens; "": none.
	BackChannel string
	// Several: a frontend's people may sign in at one of several providers.
	Several bool
	// Userinfo: the product asks the userinfo endpoint.
	Userinfo bool
	// Script is what the product's pages do by script on the way; nil: nothing.
	Script func(b *browser.Browser, a *browser.Answer) string
	// IsAttempt reports whether a cookie carries a sign-in under way.
	IsAttempt func(name string) bool
}

// Store is where sessions lie.
type Store interface {
	// Cut makes it unreachable; Mend brings it back.
	Cut()
	Mend()
	// Dump is all that lies in it.
	Dump() string
}

// Adapter makes a product run in a world. Close of the world ends it.
type Adapter struct {
	Name, About string
	Start       func(w *world.World) (*Subject, error)
	// NotRun says why nobody has run it; "": it is run.
	NotRun string
}

// Token is what a call brings to the API, without its scheme.
func (s *Subject) Token(c world.Call) string {
	name := s.Carrier
	if name == "" {
		name = "Authorization"
	}
	text := c.Header.Get(name)
	if scheme, token, ok := strings.Cut(text, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return token
	}
	return text
}

// Seen is the path at which the API sees a path of the prefix.
func (s *Subject) Seen(path string) string {
	if s.Forwards == nil {
		return path
	}
	return s.Forwards(path)
}
