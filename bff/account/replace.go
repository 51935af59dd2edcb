package account

import (
	"context"
	"errors"

	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

// begin begins the session of a person who came back, or takes the one that another tab
// of the browser began a moment ago, and sets its cookie.
func (a atProvider) begin(ctx context.Context, c *call.Call, provider *oidc.Provider, attempt pending.Attempt, browser pending.Browser, r *oidc.Result) error {
	turn, shared, err := a.tabs.Take(ctx, c.Frontend().Name, browser)
	if err != nil {
		return err
	}
	if shared != nil && a.joins(ctx, c, provider, attempt, shared, r) {
		return nil
	}
	ticket, started, err := a.manager.Start(ctx, a.sessionAt(c, provider, r, attempt.Began))
	if err != nil {
		turn.GiveUp(ctx)
		_ = provider.SignOut(ctx, r.Credential, mapping.Caller{}) // best effort: nobody will use it
		return err
	}
	c.Record.Session = started.LogID
	if a.replace(ctx, c, attempt, browser, started) {
		turn.GiveUp(ctx)
		return nil
	}
	setSessionCookie(c, ticket, started)
	if err := turn.Leave(ctx, pending.Shared{Ticket: ticket, Person: started.Subject}); err != nil {
		a.events.Log.WarnContext(ctx, "session not left for other tabs", "frontend", c.Frontend().Name, "error", err)
		turn.GiveUp(ctx)
	}
	return nil
}

// joins takes a session of another tab for this one: of the same person, alive, and not
// one that this attempt was begun to replace or to better. The tokens of this tab are dropped and not revoked: at some providers the
// other tab's would go with them.
func (a atProvider) joins(ctx context.Context, c *call.Call, provider *oidc.Provider, attempt pending.Attempt, shared *pending.Shared, r *oidc.Result) bool {
	again := attempt.Session == shared.Ticket.Handle() || len(attempt.ACR) > 0 || attempt.MaxAge != nil || attempt.Prompt != "" && attempt.Prompt != "none"
	if again || shared.Person != session.PersonOf(r.Provider, r.Subject) {
		return false
	}
	found, err := a.manager.Peek(ctx, c.Frontend().Name, shared.Ticket)
	if err == nil {
		err = a.manager.Join(ctx, found, a.sessionAt(c, provider, r, attempt.Began))
	}
	if err != nil {
		return false
	}
	c.Record.Session = found.LogID
	setSessionCookie(c, shared.Ticket, found)
	if err := a.manager.EndHandle(ctx, attempt.Session); err != nil { // no handle: nothing
		a.events.Log.WarnContext(ctx, "replaced session not ended", "frontend", c.Frontend().Name, "error", err)
	}
	return true
}

// replace ends the sessions that the new one takes the place of: the one that ran when
// the attempt began, the one whose cookie came along, and those of other tabs that
// finished before. The callback itself brings no Strict cookie, because it comes from
// another site. true: a tab that finished meanwhile has a newer session, which the
// browser keeps; this one is ended.
func (a atProvider) replace(ctx context.Context, c *call.Call, attempt pending.Attempt, browser pending.Browser, s *session.Session) bool {
	ended, newer, err := a.manager.ReplaceInBrowser(ctx, browser.Name(), s)
	ended = append(ended, attempt.Session)
	if who := a.auth.Present(c); who.HasTicket {
		a.endReplaced(ctx, c, who.Ticket)
	}
	if newer {
		ended = append(ended, s.Handle())
	}
	for _, handle := range ended {
		if handle != s.Handle() || newer {
			err = errors.Join(err, a.manager.EndHandle(ctx, handle)) // no handle: nothing
		}
	}
	if err != nil {
		a.events.Log.WarnContext(ctx, "replaced session not ended", "frontend", c.Frontend().Name, "error", err)
	}
	return newer
}
