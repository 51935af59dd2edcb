// Package account answers Coatcheck's own addresses under /bff: signing in, its
// further steps, signing out, the session document, the list of a person's sessions,
// and the browser client.
//
// A handler fills in the call's reply, or returns an error that one table (package
// server) turns into a problem. Nothing here knows a web server.
package account

import (
	"sync"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/bff/throttle"
)

// Options are what an Account is made of. All are required.
type Options struct {
	Manager *session.Manager
	Auth    *auth.Auth
	Events  call.Events
	// Client is the browser client.
	Client *Asset
	// Background counts what goes on behind an answer; the end of the process waits for it.
	Background *sync.WaitGroup
}

// Account answers the endpoints of one configuration.
type Account struct {
	manager    *session.Manager
	throttle   throttle.Throttle
	steps      pending.Steps
	auth       *auth.Auth
	events     call.Events
	client     *Asset
	background *sync.WaitGroup
}

// New makes an Account.
func New(o Options) *Account {
	vault := o.Manager.Vault()
	return &Account{manager: o.Manager, throttle: throttle.New(vault.Counters(), vault.Keys), steps: pending.New(vault), auth: o.Auth, events: o.Events, client: o.Client, background: o.Background}
}

// handlers are the endpoints, by [routing.EndpointID].
var handlers = [routing.EndpointCount]func(*Account, *call.Call) error{
	routing.Login:      (*Account).login,
	routing.Logout:     (*Account).logout,
	routing.Session:    (*Account).session,
	routing.Sessions:   (*Account).sessions,
	routing.OneSession: (*Account).endSession,
	routing.Client:     (*Account).sendClient,
}

// Serve answers a call to one of the endpoints.
func (a *Account) Serve(c *call.Call) error { return handlers[c.Decision.Endpoint.ID](a, c) }
