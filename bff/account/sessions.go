package account

import (
	"bytes"
	"context"
	"errors"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
)

// session answers GET, which tells and never extends, and POST, which extends and, where
// it is asked to, reads the person anew.
func (a ofSessions) session(c *call.Call) error {
	extend := string(c.Request.Head.Method) == "POST"
	who := a.auth.Present(c)
	if !who.HasTicket {
		if extend {
			return problem.NotAuthenticated
		}
		return a.nobody(c, "")
	}
	look := a.manager.Peek
	if extend {
		look = a.manager.Extend
	}
	reload := false
	if extend {
		var err error
		if reload, err = readReload(c); err != nil {
			return err
		}
	}
	found, err := look(context.Background(), c.Frontend().Name, who.Ticket(c))
	if err == nil && reload {
		found, err = a.reload(c, who, found)
	}
	var ended session.EndedError
	if errors.As(err, &ended) && !extend {
		return a.nobody(c, ended.Reason)
	}
	if err != nil {
		return err
	}
	c.Record.Session = found.LogID
	return c.JSON(200, a.document(c.Frontend().Config, found))
}

// entry is one line of the list of a person's sessions.
type entry struct {
	ID         string `json:"id"`
	Current    bool   `json:"current"`
	CreatedAt  string `json:"created_at"`
	LastSeenAt string `json:"last_seen_at"`
	UserAgent  string `json:"user_agent"`
	Address    string `json:"address"`
}

// sessions lists this person's sessions at this frontend, or ends all others.
func (a ofSessions) sessions(c *call.Call) error {
	who, err := a.auth.Require(c)
	if err != nil {
		return err
	}
	if string(c.Request.Head.Method) == "DELETE" {
		return a.endOthers(c, who.Session)
	}
	found, err := a.manager.ListFor(context.Background(), who.Session)
	if err != nil {
		return err
	}
	list := make([]entry, 0, len(found))
	for _, e := range found {
		list = append(list, entry{e.ID, e.Current, e.CreatedAt.UTC().Format(time.RFC3339),
			e.LastSeenAt.UTC().Format(time.RFC3339), e.UserAgent, e.Address})
	}
	return c.JSON(200, list)
}

func (a ofSessions) endOthers(c *call.Call, s *session.Session) error {
	n, err := a.manager.EndOthers(context.Background(), s)
	if err != nil {
		return err
	}
	a.events.Security(c, "revocation", "others_ended", "ended", n)
	c.Own()
	c.Reply.Empty(204)
	return nil
}

// endSession ends one of this person's sessions; the current one too.
func (a ofSessions) endSession(c *call.Call) error {
	who, err := a.auth.Require(c)
	if err != nil {
		return err
	}
	path := c.Decision.Target.Path
	id := string(path[bytes.LastIndexByte(path, '/')+1:])
	if err := a.endListed(c, &who, id); err != nil {
		return err
	}
	a.events.Security(c, "revocation", "one_ended")
	if id == who.Session.ID {
		clearSessionCookie(c)
	}
	c.Own()
	c.Reply.Empty(204)
	return nil
}

// endListed ends the session that the list shows as id. The ticket of the current one
// is at hand, so that one ends even if the list has lost it.
func (a ofSessions) endListed(c *call.Call, who *auth.Principal, id string) error {
	ctx, s := context.Background(), who.Session
	if id != s.ID {
		return a.manager.EndOne(ctx, s.Frontend, s.Subject, id)
	}
	_, err := a.manager.End(ctx, s.Frontend, who.Ticket(c), session.Revoked)
	return err
}
