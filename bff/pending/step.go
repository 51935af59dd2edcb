package pending

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
	"coatcheck/bff/throttle"
)

// Life is how long a sign-in may wait for its next step.
const Life = 5 * time.Minute

// MaxTries is how often a step may be tried.
const MaxTries = 5

// kind is the place of pending sign-ins in the store.
const kind = "q"

// Steps keeps pending sign-ins. It has no state of its own; see [New].
type Steps struct{ vault session.Vault }

// New makes Steps that keep pending sign-ins in vault.
func New(vault session.Vault) Steps { return Steps{vault} }

// Step is a sign-in that waits for more from the person.
type Step struct {
	// Frontend by its name in the configuration.
	Frontend string
	// Account is what the person typed as their name, for the throttle.
	Account string
	// Began is when it was held, by the store's clock.
	Began time.Time
	// Way in that the sign-in goes; empty: login.
	Way string
	// Persistent says that the session's cookie will outlive the browser.
	Persistent bool
	// Name says what comes next, Fields what the page must send.
	Name   string
	Fields []string
	// Kept are values of the API that the next step needs.
	Kept map[string]credential.Secret
	// Counted are the throttle's counts of the steps before.
	Counted []throttle.Counted
	// Tries is where the tries are counted: its own place where it is empty, or that
	// of an earlier pending sign-in, which leaves this one only what that one left.
	Tries string
}

// stepText is the part of a Step that is no secret.
type stepText struct {
	Step    string             `json:"step"`
	Fields  []string           `json:"fields"`
	Counted []throttle.Counted `json:"counted,omitempty"`
	Tries   string             `json:"tries,omitempty"`

	Way        string `json:"way,omitempty"`
	Persistent bool   `json:"persistent,omitempty"`
}

// Hold keeps a pending sign-in for [Life], under a new ticket. Errors:
// [store.ErrUnavailable].
func (s Steps) Hold(ctx context.Context, p Step) (session.Ticket, error) {
	text, err := json.Marshal(stepText{p.Name, p.Fields, p.Counted, p.Tries, p.Way, p.Persistent})
	if err != nil {
		return session.Ticket{}, err
	}
	return s.vault.Put(ctx, kind, p.Frontend, record.Record{Subject: p.Account, User: text,
		Credential: credential.New(p.Kept, time.Time{}, time.Time{})}, Life)
}

// Find returns the pending sign-in of t at frontend. Errors are [session.EndedError]
// where there is none (any more), and [store.ErrUnavailable].
func (s Steps) Find(ctx context.Context, frontend string, t session.Ticket) (*Step, error) {
	var text stepText
	r, err := s.vault.Get(ctx, kind, frontend, t, func(r *record.Record) bool {
		return json.Unmarshal(r.User, &text) == nil
	})
	if err != nil {
		return nil, err
	}
	p := &Step{Frontend: frontend, Account: r.Subject, Name: text.Step, Fields: text.Fields, Kept: r.Credential.Values(), Counted: text.Counted, Tries: text.Tries, Began: r.Created,
		Way: text.Way, Persistent: text.Persistent}
	if p.Tries == "" {
		p.Tries = s.vault.Key(kind, t) + ":tries"
	}
	return p, nil
}

// Try is one of the tries of a pending sign-in. Leave it alone if the person failed;
// else give it back.
type Try struct {
	// Last says that it was the last one: if it fails, the sign-in is to be dropped.
	Last     bool
	counters store.Counters
	own      throttle.Counted
}

// Try spends one of the [MaxTries] tries of a pending sign-in; [session.EndedError] where
// none is left.
func (s Steps) Try(ctx context.Context, p *Step) (*Try, error) {
	// A second count, full one try earlier, tells the last one apart.
	t := &Try{counters: s.vault.Counters(), own: throttle.Counted{ID: rand.Text(), Keys: []string{p.Tries, p.Tries + ":early"}}}
	retry, _, err := t.counters.Count(ctx, t.own.Keys[0], t.own.ID, MaxTries, Life)
	if err != nil {
		return nil, store.Unavailable("try", err)
	}
	if retry > 0 {
		return nil, session.EndedError{Reason: session.Expired}
	}
	retry, _, err = t.counters.Count(ctx, t.own.Keys[1], t.own.ID, MaxTries-1, Life)
	if err != nil {
		_ = t.GiveBack(context.WithoutCancel(ctx)) // nothing was tried
		return nil, store.Unavailable("try", err)
	}
	t.Last = retry > 0
	return t, nil
}

// GiveBack takes the try back: the failure was ours or the API's.
func (t *Try) GiveBack(ctx context.Context) error { return throttle.Uncount(ctx, t.counters, t.own) }

// Drop ends a pending sign-in. It reports whether there was one: of two that take
// the same step at once, one gets true.
func (s Steps) Drop(ctx context.Context, t session.Ticket) (bool, error) {
	return s.vault.Drop(ctx, kind, t)
}
