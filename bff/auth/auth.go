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
	"coatcheck/bff/session/ticket"
	"coatcheck/upstream/signin"
)

// Principal is who calls. Its zero value is nobody.
type Principal struct {
	// Session is the person's; nil: nobody is signed in.
	Session *session.Session
	// HasTicket says that a ticket came with the request. It may be a dead one.
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

// borrowed is the ticket of a call as it lies in the request's head: it must not be kept.
func borrowed(c *call.Call) (session.Ticket, bool) {
	value, ok := cookie(c.Request.Head, c.Frontend().Config.Cookie.Name)
	if !ok {
		return session.Ticket{}, false
	}
	return ticket.Borrow(value)
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
	shown, ok := borrowed(c)
	p.HasTicket, p.Ambient = ok, true
	if !ok {
		if route.Session == routing.SessionOptional {
			return nil
		}
		return problem.NotAuthenticated
	}
	look := a.manager.Find
	if !extends(c) {
		look = a.manager.Peek
	}
	found, err := look(context.Background(), c.Frontend().Name, shown)
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

// ensureFresh sees to it that the token lasts. A refresh that fails for the API's sake
// leaves the old token in use while it lasts; the session stays in any case.
func (a *Auth) ensureFresh(c *call.Call, p *Principal, in *session.Session) (*session.Session, error) {
	if !c.Route().SendToken {
		return in, nil
	}
	return a.freshen(c, p, in)
}

// freshen renews a token that is near its end.
func (a *Auth) freshen(c *call.Call, p *Principal, in *session.Session) (*session.Session, error) {
	method := a.Method(c.Frontend(), in)
	ends := in.Credential.Expires
	if ends.IsZero() || !method.Renews(in.Credential) {
		return in, nil
	}
	left := ends.Sub(a.manager.Now())
	if left > method.RefreshBefore() {
		return in, nil
	}
	renewed, err := a.renew(c, p, in, "", always)
	if err != nil && !isEnded(err) && left > 0 {
		return in, nil
	}
	return renewed, err
}

// Unverified reports that the principal is known only when the body was read: at most
// so many bytes of it, and no more than the process has room for ([Programs.Budget]).
// Then [Callers.Verify] says who calls.
func (p *Principal) Unverified() (limit int64, is bool) {
	if p.Caller == nil || p.Caller.Name != "" {
		return 0, false
	}
	return p.Caller.limit, true
}
