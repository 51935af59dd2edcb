package account

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// way is how a person gets a credential, and the fields that a page must send for it.
type way struct {
	by     signin.Way
	fields []string
}

// account is what the throttle counts by: the first field.
func (w way) account(fields map[string]credential.Secret) string {
	name, _ := configs.FieldName(w.fields[0])
	return fields[name].Reveal()
}

// wayOf finds the way that a sign-in goes: the one that its body names, which is then
// taken out of the fields, or login.
func (a *Account) wayOf(c *call.Call, fields map[string]credential.Secret) (way, error) {
	login := &c.Frontend().Config.Login
	named, ok := fields["way"]
	if !ok || len(login.Ways) == 0 {
		if len(login.Fields) == 0 {
			return way{}, badRequest("no way is named, and the frontend has no sign-in of its own")
		}
		return way{fields: login.Fields}, nil
	}
	name := named.Reveal()
	if !slices.Contains(login.Ways, name) {
		return way{}, badRequest("the frontend does not list this way")
	}
	delete(fields, "way")
	return way{signin.Way{Name: name}, a.auth.API(c.Frontend()).Ways.Fields(signin.Way{Name: name})}, nil
}

// exchange gets another credential for a person who is signed in. The answer is the
// session document; the ticket is new, and the old one opens nothing any more. After a
// failure the session is as it was.
func (a inExchange) exchange(c *call.Call) error {
	by := signin.Way{Name: string(c.Decision.Segment), Exchange: true}
	if !slices.Contains(c.Frontend().Config.Login.Exchanges, by.Name) {
		return problem.NotFound
	}
	who, err := a.auth.RequireFresh(c)
	if err != nil {
		return err
	}
	if who.Session.Provider != "" {
		return problem.NotFound.Because("the token is the provider's, and no exchange of an API's takes it")
	}
	fields, err := readExchange(c)
	if err == nil {
		err = undeclared(fields, a.auth.API(c.Frontend()).Ways.Fields(by))
	}
	if err != nil {
		return err
	}
	return a.exchangeBy(c, &who, by, fields)
}

// exchangeBy counts the attempt, has the exchange made, and answers.
func (a inExchange) exchangeBy(c *call.Call, who *auth.Principal, by signin.Way, fields map[string]credential.Secret) error {
	ctx, cancel := call.Detached()
	defer cancel()
	// What is guessed here, an old password, is guessed of the person: no field of a page
	// can hold NUL, so that no sign-in counts under this name.
	attempt, err := a.attempt(ctx, c, "\x00"+who.Session.Subject)
	if err != nil {
		return err
	}
	defer a.abandon(ctx, c, attempt)
	ticket, next, err := a.askExchange(ctx, c, who, by, fields)
	switch {
	case errors.Is(err, errAccepted):
		a.unsettled(ctx, c, attempt.GiveBack(ctx))
		a.events.Security(c, "exchange", mapping.Accepted)
		return c.JSON(200, a.document(c.Frontend().Config, who.Session))
	case err != nil:
		a.settle(ctx, c, attempt, err)
		return err
	}
	a.settle(ctx, c, attempt, nil)
	c.Record.Session = next.LogID
	setSessionCookie(c, ticket, next)
	a.events.Security(c, "exchange", "exchanged", "exchange", by.Name)
	return c.JSON(200, a.document(c.Frontend().Config, next))
}

// errAccepted says that the API took an exchange's request without a new credential, and
// that nothing changes yet: a new address must first be confirmed by mail.
var errAccepted = errors.New("account: accepted, without a credential")

// askExchange asks the API, and puts a new session in the place of the old one.
func (a inExchange) askExchange(ctx context.Context, c *call.Call, who *auth.Principal, by signin.Way, fields map[string]credential.Secret) (session.Ticket, *session.Session, error) {
	api := a.auth.API(c.Frontend())
	span, caller := c.Ask("exchange", api.Name())
	wait := max(api.RefreshTimeout(), api.Ways.Timeout(by))
	ticket, next, err := a.manager.Exchange(ctx, who.Session, who.Ticket(c), wait, func(ctx context.Context, now *session.Session) (session.Start, error) {
		in, err := api.Ways.SignInBy(ctx, by, &mapping.Values{Credential: now.Credential, Fields: fields, Caller: caller}, a.manager.Now())
		if err == nil && in.Accepted {
			err = errAccepted
		}
		if err != nil {
			return session.Start{}, err
		}
		return a.successorOf(c, now, in), nil
	})
	span.Answered(0, err)
	return ticket, next, err
}

// successorOf is the session that an exchange leads to. What the answer lacks keeps its
// old value, but another person gets nothing that was the first one's.
func (a inExchange) successorOf(c *call.Call, was *session.Session, in *signin.SignedIn) session.Start {
	next := a.sessionOf(c, in)
	switch {
	case in.Same:
		next.Subject, next.User = "", nil
	case in.Subject == "" && strings.HasPrefix(was.Subject, auth.Unnamed):
		next.Subject = ""
	}
	if next.Subject == "" || session.PersonOf("", next.Subject) == was.Subject {
		next.Credential = was.Credential.Renew(in.Credential)
		next.RefreshAble = a.auth.API(c.Frontend()).Renews(next.Credential)
	}
	return next
}
