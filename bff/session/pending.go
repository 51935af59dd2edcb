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
}

// pendingText is the part of a Pending that is no secret.
type pendingText struct {
	Step   string   `json:"step"`
	Fields []string `json:"fields"`
}

func (m *Manager) pendingKey(h hash) string { return m.prefix + ":q:{" + h.hex() + "}" }

// Hold keeps a pending sign-in for five minutes, under a new ticket.
func (m *Manager) Hold(ctx context.Context, p Pending) (Ticket, error) {
	if err := m.needClock(ctx); err != nil {
		return Ticket{}, err
	}
	text, err := json.Marshal(pendingText{p.Step, p.Fields})
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

// Held returns the pending sign-in of t at frontend; [Dead] where there is none (any more).
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
	if err != nil || o.frontend != frontend {
		return nil, Dead{Expired}
	}
	r, err := decodeRecord(o.plain)
	var text pendingText
	if err != nil || !m.Now().Before(r.ends) || json.Unmarshal(r.user, &text) != nil {
		return nil, Dead{Expired}
	}
	return &Pending{Frontend: frontend, Account: r.subject, Step: text.Step, Fields: text.Fields, Kept: r.credential.Values()}, nil
}

// Try spends one of the five tries of a pending sign-in; [Dead] where none is left.
// It reports whether this was the last one: if it fails, the sign-in is to be dropped.
func (m *Manager) Try(ctx context.Context, t Ticket) (last bool, err error) {
	tries, id := m.pendingKey(t.hash())+":tries", rand.Text()
	retry, err := m.store.Count(ctx, tries, id, pendingTries, PendingLife)
	if err != nil {
		return false, unavailable("try", err)
	}
	if retry > 0 {
		return false, Dead{Expired}
	}
	// A second count, full one try earlier, tells the last one apart.
	retry, err = m.store.Count(ctx, tries+":early", id, pendingTries-1, PendingLife)
	if err != nil {
		return false, unavailable("try", err)
	}
	return retry > 0, nil
}

// Drop ends a pending sign-in. It reports whether there was one: of two that take
// the same step at once, one.
func (m *Manager) Drop(ctx context.Context, t Ticket) (bool, error) {
	_, outcome, err := m.store.Remove(ctx, m.pendingKey(t.hash()), Removal{Reason: Expired})
	if err != nil {
		return false, unavailable("drop", err)
	}
	return outcome == Done, nil
}
