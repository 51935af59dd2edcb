package account

import (
	"context"
	"errors"

	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/session"
)

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
