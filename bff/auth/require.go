package auth

import (
	"context"

	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
)

// Present looks for the ticket of a call and asks nobody what it opens.
func (a *Auth) Present(c *call.Call) Principal {
	_, ok := borrowed(c)
	return Principal{HasTicket: ok, Ambient: true}
}

// Ticket that came with the call; the zero one where none did. It may be a dead one. It is
// a copy, which may outlive the call: most calls need none.
func (p *Principal) Ticket(c *call.Call) session.Ticket {
	if !p.HasTicket {
		return session.Ticket{}
	}
	t, _ := Ticket(c.Request.Head, c.Frontend())
	return t
}

// Require finds the session of a call to one of Coatcheck's own addresses that needs
// one; the idle time is extended. Errors as in [Auth.Identify].
func (a *Auth) Require(c *call.Call) (Principal, error) {
	p := a.Present(c)
	if !p.HasTicket {
		return p, problem.NotAuthenticated
	}
	found, err := a.manager.Find(context.Background(), c.Frontend().Name, p.Ticket(c))
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
