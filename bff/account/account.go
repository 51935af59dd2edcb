// Package account answers Coatcheck's own addresses under /bff: signing in, its
// further steps, signing out, the session document, the list of a person's sessions,
// and the browser client.
//
// A handler fills in the call's reply, or returns an error that one table (package
// server) turns into a problem. Nothing here knows a web server.
package account

import (
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/bff/throttle"
	"coatcheck/upstream/oidc"
)

// Options are what an Account is made of. All are required.
type Options struct {
	// Manager keeps the sessions, Auth finds whose a call is, and Events is told what
	// matters for security.
	Manager *session.Manager
	Auth    *auth.Auth
	Events  call.Events
	// Client is the browser client.
	Client *Asset
	// Providers at whose pages people sign in, by name; nil: none.
	Providers map[string]*oidc.Provider
	// Sealer seals attempts at providers; required where there are Providers.
	Sealer *pending.Sealer
	// Background counts what goes on behind an answer; the end of the process waits for it.
	Background *call.Work
}

// Account answers the endpoints of one configuration.
type Account struct {
	manager    *session.Manager
	throttle   throttle.Throttle
	steps      pending.Steps
	tabs       pending.Tabs
	auth       *auth.Auth
	events     call.Events
	client     *Asset
	providers  map[string]*oidc.Provider
	sealer     *pending.Sealer
	background *call.Work
	// tokenRefused is the pace of lines about refused logout tokens.
	tokenRefused call.Pace
}

// Each part of an Account has what belongs to one idea.
type (
	inSteps    struct{ *Account } // the further steps of a sign-in
	inExchange struct{ *Account } // another credential for a person who is signed in
	atProvider struct{ *Account } // signing in at a provider, and out there
	ofSessions struct{ *Account } // the session document, and the list
)

// New makes an Account.
func New(o Options) *Account {
	vault := o.Manager.Vault()
	return &Account{manager: o.Manager, auth: o.Auth, events: o.Events, client: o.Client,
		providers: o.Providers, sealer: o.Sealer, background: o.Background,
		throttle: throttle.New(vault.Counters(), vault.Keys), steps: pending.New(vault), tabs: pending.NewTabs(vault)}
}

// handlers are the endpoints, by [routing.EndpointID].
var handlers = [routing.EndpointCount]func(*Account, *call.Call) error{
	routing.Login:          (*Account).login,
	routing.Logout:         (*Account).logout,
	routing.Exchange:       func(a *Account, c *call.Call) error { return inExchange{a}.exchange(c) },
	routing.Callback:       func(a *Account, c *call.Call) error { return atProvider{a}.callback(c) },
	routing.ProviderLogout: func(a *Account, c *call.Call) error { return atProvider{a}.providerLogout(c) },
	routing.BackChannel:    func(a *Account, c *call.Call) error { return atProvider{a}.backChannel(c) },
	routing.Session:        func(a *Account, c *call.Call) error { return ofSessions{a}.session(c) },
	routing.Sessions:       func(a *Account, c *call.Call) error { return ofSessions{a}.sessions(c) },
	routing.OneSession:     func(a *Account, c *call.Call) error { return ofSessions{a}.endSession(c) },
	routing.Client:         (*Account).sendClient,
}

// Serve answers a call to one of the endpoints.
func (a *Account) Serve(c *call.Call) error { return handlers[c.Decision.Endpoint.ID](a, c) }
