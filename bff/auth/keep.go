package auth

import (
	"context"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
)

// keepTimeout bounds how long an answer waits until what came with it is kept.
const keepTimeout = time.Second

// Keep puts a value beside the session's credential, for this call and all later ones. It
// is fenced as a renewal is: where somebody else wrote meanwhile, theirs stays. A failure
// is logged, and costs nothing but the value.
func (a *Auth) Keep(c *call.Call, p *Principal, name string, value credential.Secret) {
	kept, err := a.manager.Amend(context.Background(), p.Session, p.Ticket(c), keepTimeout, "keep",
		func(_ context.Context, old *credential.Credential) (*credential.Credential, error) {
			return old.Renew(credential.New(map[string]credential.Secret{name: value}, time.Time{}, time.Time{})), nil
		})
	switch {
	case err == nil:
		p.take(c, kept)
	case !isEnded(err):
		a.events.Log.Warn("a value was not kept with its session", "frontend", c.Frontend().Name, "error", err)
	}
}
