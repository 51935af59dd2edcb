package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"coatcheck/bff/session"
)

// anonymous is the session document of nobody.
type anonymous struct {
	Authenticated bool   `json:"authenticated"`
	Reason        string `json:"reason,omitempty"`

	// A sign-in that waits for more.
	Step   string   `json:"step,omitempty"`
	Fields []string `json:"fields,omitempty"`
}

// document is the session document. Times left are seconds, because browsers' clocks
// are wrong; ID is a handle for lists, not the ticket, and opens nothing.
type document struct {
	Authenticated bool                       `json:"authenticated"`
	Frontend      string                     `json:"frontend"`
	ID            string                     `json:"id"`
	User          map[string]json.RawMessage `json:"user"`
	CreatedAt     string                     `json:"created_at"`
	IdleExpiresIn int64                      `json:"idle_expires_in"`
	ExpiresIn     int64                      `json:"expires_in"`
}

func (s *Server) document(x *exchange, in *session.Session) document {
	return document{Authenticated: true, Frontend: in.Frontend, ID: in.ID, User: exposed(in.User, x.frontend.config.Login.Expose),
		CreatedAt: in.Created.UTC().Format(time.RFC3339), IdleExpiresIn: int64(s.manager.IdleLeft(in) / time.Second),
		ExpiresIn: int64(s.manager.Left(in) / time.Second)}
}

// exposed picks the fields of the user that a browser may see: deny by absence.
func exposed(user []byte, names []string) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(user, &all) // nothing that can be read: nothing to show
	seen := map[string]json.RawMessage{}
	for _, name := range names {
		if value, ok := all[name]; ok {
			seen[name] = value
		}
	}
	return seen
}

// json makes the answer a document of Coatcheck's own.
func (x *exchange) json(status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		x.fail(err)
		return
	}
	x.own()
	x.body(status, "application/json", b)
}

// session answers GET, which tells and never extends, and POST, which extends.
func (s *Server) session(x *exchange) error {
	x.readTicket()
	extend := string(x.head.Method) == "POST"
	if !x.hasTicket {
		if extend {
			return errNotAuthenticated
		}
		return s.nobody(x, "")
	}
	look := s.manager.Look
	if extend {
		look = s.manager.Extend
	}
	found, err := look(context.Background(), x.frontend.name, x.ticket)
	var dead session.Dead
	if errors.As(err, &dead) && !extend {
		return s.nobody(x, dead.Reason)
	}
	if err != nil {
		return err
	}
	x.session = found
	x.json(200, s.document(x, found))
	return nil
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

// who finds the session of the call, for the addresses that need one.
func (s *Server) who(x *exchange) error {
	x.readTicket()
	if !x.hasTicket {
		return errNotAuthenticated
	}
	found, err := s.manager.Find(context.Background(), x.frontend.name, x.ticket)
	x.session = found
	return err
}

// sessions lists this person's sessions at this frontend, or ends all others.
func (s *Server) sessions(x *exchange) error {
	if err := s.who(x); err != nil {
		return err
	}
	if string(x.head.Method) == "DELETE" {
		n, err := s.manager.EndOthers(context.Background(), x.session)
		if err != nil {
			return err
		}
		s.event(x, "revocation", "others_ended", "ended", n)
		x.own()
		x.empty(204)
		return nil
	}
	found, err := s.manager.ListFor(context.Background(), x.session)
	if err != nil {
		return err
	}
	list := make([]entry, 0, len(found))
	for _, e := range found {
		list = append(list, entry{e.ID, e.Current, e.CreatedAt.UTC().Format(time.RFC3339),
			e.LastSeenAt.UTC().Format(time.RFC3339), e.UserAgent, e.Address})
	}
	x.json(200, list)
	return nil
}

// endSession ends one of this person's sessions; the current one too.
func (s *Server) endSession(x *exchange) error {
	if err := s.who(x); err != nil {
		return err
	}
	id := string(x.target.path[bytes.LastIndexByte(x.target.path, '/')+1:])
	if err := s.endListed(x, id); err != nil {
		return err
	}
	s.event(x, "revocation", "one_ended")
	if id == x.session.ID {
		x.takeTicket()
	}
	x.own()
	x.empty(204)
	return nil
}

// endListed ends the session that the list shows as id. The ticket of the current one
// is at hand, so that one ends even if the list has lost it.
func (s *Server) endListed(x *exchange, id string) error {
	ctx := context.Background()
	if id != x.session.ID {
		return s.manager.EndOne(ctx, x.frontend.name, x.session.Subject, id)
	}
	_, err := s.manager.End(ctx, x.frontend.name, x.ticket, session.Revoked)
	return err
}
