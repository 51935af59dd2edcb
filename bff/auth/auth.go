// Package auth says who calls: a person with a session, a program, or nobody.
//
// [Auth.Identify] is asked once per call, behind the guard. It also sees to it that
// the API's token lasts ([Auth.ensureFresh]), and afterwards, when the API refuses a
// token all the same, [Auth.AfterStale] gets another one or learns that there
// is none. Everything that the API says of a token behind an answer goes through
// [Auth.AfterAnswer].
package auth

import (
	"context"
	"errors"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/upstream/signin"
)

// Principal is who calls. Its zero value is nobody.
type Principal struct {
	// Session is the person's; nil: nobody is signed in.
	Session *session.Session
	// Ticket that came with the request, and whether one came. It may be a dead one.
	Ticket    session.Ticket
	HasTicket bool
	// Exchanged is the token of its own for the route's API, where that gets one
	// (RFC 8693); the session's goes nowhere then.
	Exchanged *credential.Credential
	// Caller is the program that calls; nil: none does.
	Caller *Caller
	// Ambient reports that the browser attached the proof by itself, as it does with
	// cookies: such a call proves who the person is, not that a page of ours made it.
	// The guard stands before every ambient proof.
	Ambient bool
}

// Credential is what the API gave the person; nil: nobody is signed in.
func (p *Principal) Credential() *credential.Credential {
	if p.Session == nil {
		return nil
	}
	return p.Session.Credential
}

// Auth identifies callers. One is made for each configuration.
type Auth struct {
	manager *session.Manager
	events  call.Events
	apis    []*signin.Upstream // that sign people in, by frontend
	// providers by their names in the configuration.
	providers map[string]Method
	exchanges map[string]*exchange // by upstream

	// Callers are the programs that may call.
	Callers *Callers
}

// New makes an Auth for the frontends of a table; providers may be nil.
func New(manager *session.Manager, table *routing.Table, ups *signin.Set, providers map[string]Method, events call.Events, programs *Programs) *Auth {
	a := &Auth{manager: manager, events: events, providers: providers, exchanges: newExchanges(table.Config()),
		Callers: newCallers(table.Config(), providers, events, programs)}
	for _, f := range table.Frontends {
		a.apis = append(a.apis, ups.Get(f.Config.Login.Upstream))
	}
	return a
}

// API is the upstream that signs people in at a frontend.
func (a *Auth) API(f *routing.Frontend) *signin.Upstream { return a.apis[f.Index] }

// Present reads the ticket of a call and asks nobody what it opens.
func (a *Auth) Present(c *call.Call) Principal {
	ticket, ok := Ticket(c.Request.Head, c.Frontend())
	return Principal{Ticket: ticket, HasTicket: ok, Ambient: true}
}

// Identify finds out whose call it is, as the route demands, and sees to it that the
// token is fresh. It fills in p, which must be the zero value. Errors:
// [problem.NotAuthenticated], [session.EndedError] (on a route that requires a session),
// [store.ErrUnavailable], and what a refresh ends with.
func (a *Auth) Identify(c *call.Call, p *Principal) error {
	route := c.Route()
	if c.Decision.ByProgram {
		return a.Callers.identify(c, p)
	}
	if route.Session == routing.SessionNone {
		return nil
	}
	*p = a.Present(c)
	if !p.HasTicket {
		if route.Session == routing.SessionOptional {
			return nil
		}
		return problem.NotAuthenticated
	}
	look := a.manager.Find
	if !extends(c) {
		look = a.manager.Peek
	}
	found, err := look(context.Background(), c.Frontend().Name, p.Ticket)
	if err == nil {
		found, err = a.ensureFresh(c, p, found)
	}
	if err == nil {
		found, err = exchanging{a}.ensureExchanged(c, p, found)
	}
	if err != nil && route.Session == routing.SessionOptional && isEnded(err) {
		return nil // as if nobody were signed in
	}
	p.take(c, found)
	return err
}

// Extend is the request header by which a page says that a call is no sign of a person: a
// poll. With the value false the call does not prolong the session's idle time.
const Extend = "coatcheck-extend"

// extends reports whether a call prolongs the idle time.
func extends(c *call.Call) bool {
	value, n := c.Request.Head.Get(Extend)
	return c.Route().Config.Extend && (n == 0 || string(value) != "false")
}

// Require finds the session of a call to one of Coatcheck's own addresses that needs
// one; the idle time is extended. Errors as in [Auth.Identify].
func (a *Auth) Require(c *call.Call) (Principal, error) {
	p := a.Present(c)
	if !p.HasTicket {
		return p, problem.NotAuthenticated
	}
	found, err := a.manager.Find(context.Background(), c.Frontend().Name, p.Ticket)
	p.take(c, found)
	return p, err
}

// RequireFresh is [Auth.Require] with a token that lasts, for what Coatcheck asks the API
// in the person's name. Errors are also those that a refresh ends with.
func (a *Auth) RequireFresh(c *call.Call) (Principal, error) {
	p, err := a.Require(c)
	if err != nil {
		return p, err
	}
	_, err = a.Freshen(c, &p)
	return p, err
}

// Freshen sees to it that the token of a principal with a session lasts. Errors are those
// that a refresh ends with.
func (a *Auth) Freshen(c *call.Call, p *Principal) (*session.Session, error) {
	found, err := a.freshen(c, p, p.Session)
	p.take(c, found)
	return found, err
}

// take makes the session the principal's, and names it in the record.
func (p *Principal) take(c *call.Call, s *session.Session) {
	p.Session = s
	if s != nil {
		c.Record.Session = s.LogID
	}
}

// isEnded reports whether an error says that the session is over.
func isEnded(err error) bool {
	var ended session.EndedError
	return errors.As(err, &ended)
}
