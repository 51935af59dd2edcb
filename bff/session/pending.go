package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"coatcheck/bff/credential"
)

// PendingLife is how long a sign-in may wait for its next step. The step may be tried
// five times.
const (
	PendingLife  = 5 * time.Minute
	pendingTries = 5
)

// Pending is a sign-in that waits for more from the person: a code, a choice. It
// lies in the store as a session does, sealed under a ticket of its own, in a place
// where no session is looked for: its ticket opens nothing else.
type Pending struct {
	Frontend string
	// Account is what the person typed as their name, for the throttle.
	Account string
	// Step names what comes next, Fields what the page must send.
	Step   string
	Fields []string
	// Kept are values of the API that the next step needs.
	Kept map[string]credential.Secret
	// Counted are the throttle's counts of the steps before.
	Counted []Counted
	// Tries is where the tries are counted: its own place where it is empty, or that
	// of an earlier pending sign-in, which leaves this one only what that one left.
	Tries string
}

// pendingText is the part of a Pending that is no secret.
type pendingText struct {
	Step    string    `json:"step"`
	Fields  []string  `json:"fields"`
	Counted []Counted `json:"counted,omitempty"`
	Tries   string    `json:"tries,omitempty"`
}

func (m *Manager) pendingKey(h hash) string { return m.prefix + ":q:{" + h.hex() + "}" }

// Hold keeps a pending sign-in for five minutes, under a new ticket.
func (m *Manager) Hold(ctx context.Context, p Pending) (Ticket, error) {
	if err := m.needClock(ctx); err != nil {
		return Ticket{}, err
	}
	text, err := json.Marshal(pendingText{p.Step, p.Fields, p.Counted, p.Tries})
	if err != nil {
		return Ticket{}, err
	}
	t, now := newTicket(), m.Now()
	key := m.pendingKey(t.hash())
	r := &record{id: newID(), subject: p.Account, user: text, created: now, ends: now.Add(PendingLife),
		credential: credential.New(p.Kept, time.Time{}, time.Time{})}
	sealed, err := seal(m.settings.Load().ring[0], t, key, p.Frontend, 1, r.encode())
	if err != nil {
		return Ticket{}, err
	}
	if err := m.store.Create(ctx, key, append(appendStamp(nil, now), sealed...), PendingLife); err != nil {
		return Ticket{}, unavailable("hold", err)
	}
	return t, nil
}

// Held returns the pending sign-in of t at frontend. Errors are [Dead] where there is
// none (any more), and [ErrUnavailable].
func (m *Manager) Held(ctx context.Context, frontend string, t Ticket) (*Pending, error) {
	if err := m.needClock(ctx); err != nil {
		return nil, err
	}
	key := m.pendingKey(t.hash())
	value, err := m.store.Load(ctx, key)
	if err != nil {
		return nil, unavailable("held", err)
	}
	if value == nil {
		return nil, Dead{Expired}
	}
	o, err := m.settings.Load().ring.unseal(t, key, value)
	if err != nil {
		return nil, m.unreadablePending(ctx, frontend, t, err)
	}
	if o.frontend != frontend {
		m.securityEvent("ticket_of_another_frontend", "frontend", frontend)
		return nil, Dead{Expired}
	}
	r, err := decodeRecord(o.plain)
	var text pendingText
	if err != nil || json.Unmarshal(r.user, &text) != nil {
		return nil, m.unreadablePending(ctx, frontend, t, errCorrupt)
	}
	if !m.Now().Before(r.ends) {
		return nil, Dead{Expired}
	}
	p := &Pending{Frontend: frontend, Account: r.subject, Step: text.Step, Fields: text.Fields, Kept: r.credential.Values(), Counted: text.Counted, Tries: text.Tries}
	if p.Tries == "" {
		p.Tries = key + ":tries"
	}
	return p, nil
}

func (m *Manager) unreadablePending(ctx context.Context, frontend string, t Ticket, why error) error {
	return m.judge(frontend, why, func() error {
		_, err := m.Drop(ctx, t)
		return err
	})
}

// Try is one of the five tries of a pending sign-in. Leave it alone if the person
// failed; else give it back.
type Try struct {
	// Last says that it was the last one: if it fails, the sign-in is to be dropped.
	Last bool
	m    *Manager
	own  Counted
}

// Try spends one of the five tries of a pending sign-in; [Dead] where none is left.
func (m *Manager) Try(ctx context.Context, p *Pending) (*Try, error) {
	// A second count, full one try earlier, tells the last one apart.
	t := &Try{m: m, own: Counted{rand.Text(), []string{p.Tries, p.Tries + ":early"}}}
	retry, err := m.store.Count(ctx, t.own.Keys[0], t.own.ID, pendingTries, PendingLife)
	if err != nil {
		return nil, unavailable("try", err)
	}
	if retry > 0 {
		return nil, Dead{Expired}
	}
	retry, err = m.store.Count(ctx, t.own.Keys[1], t.own.ID, pendingTries-1, PendingLife)
	if err != nil {
		return nil, unavailable("try", err)
	}
	t.Last = retry > 0
	return t, nil
}

// GiveBack takes the try back: the failure was ours or the API's.
func (t *Try) GiveBack(ctx context.Context) error { return t.m.uncount(ctx, t.own) }

// Drop ends a pending sign-in. It reports whether there was one: of two that take
// the same step at once, one.
func (m *Manager) Drop(ctx context.Context, t Ticket) (bool, error) {
	_, outcome, err := m.store.Remove(ctx, m.pendingKey(t.hash()), Removal{Reason: Expired})
	if err != nil {
		return false, unavailable("drop", err)
	}
	return outcome == Done, nil
}
