package pending

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/ticket"
)

const (
	// tabsKind is the place in the store of what tabs of one browser share.
	tabsKind = "t"
	// purposeTabs derives the ticket that opens it from the browser's secret.
	purposeTabs = "coatcheck/v1/tabs"

	// TabsLife is how long tabs that come back from a provider after the first one share
	// its session.
	TabsLife = 10 * time.Second
	// tabsPatience is how long a tab waits for another one that is ahead.
	tabsPatience = 2 * time.Second
	tabsLook     = 20 * time.Millisecond
)

// Tabs lets tabs of one browser that come back from a provider in the same moment share
// one session. Were each to have its own, their Set-Cookie lines could overtake each
// other, and the browser would keep one of a session that another tab's replaced. So the
// first tab leaves its ticket, sealed, where only the browser's secret opens it, and
// the others set the very same cookie.
type Tabs struct{ vault session.Vault }

// NewTabs makes Tabs that leave tickets in vault.
func NewTabs(vault session.Vault) Tabs { return Tabs{vault} }

// Shared is the session that a tab of this browser began a moment ago.
type Shared struct {
	// Ticket of that session.
	Ticket session.Ticket
	// Person is [session.PersonOf] provider and subject.
	Person string
}

// Turn is a tab's place among those of its browser that come back now.
type Turn struct {
	vault    session.Vault
	frontend string
	place    session.Ticket
	owner    string
	first    bool
}

// Take takes the place of the first tab, or waits for the one that is ahead and returns
// the session that it began. A nil session and no error: this tab begins one, and then
// calls [Turn.Leave], or else [Turn.GiveUp]. Errors: [store.ErrUnavailable].
func (t Tabs) Take(ctx context.Context, frontend string, b Browser) (*Turn, *Shared, error) {
	text, err := b.derive(ID{}, purposeTabs)
	if err != nil {
		return nil, nil, err
	}
	place, ok := ticket.Parse([]byte(text))
	if !ok {
		return nil, nil, ErrCookie
	}
	turn := &Turn{vault: t.vault, frontend: frontend, place: place, owner: rand.Text()}
	if turn.first, err = t.vault.Claim(ctx, tabsKind, place, turn.owner, TabsLife); err != nil || turn.first {
		return turn, nil, err
	}
	shared, err := turn.await(ctx)
	return turn, shared, err
}

// await waits for the session of the tab that is ahead; nil: none came.
func (t *Turn) await(ctx context.Context) (*Shared, error) {
	ctx, cancel := context.WithTimeout(ctx, tabsPatience)
	defer cancel()
	look := time.NewTicker(tabsLook)
	defer look.Stop()
	for {
		shared, err := t.find(ctx)
		var none session.EndedError
		switch {
		case shared != nil:
			return shared, nil
		case ctx.Err() != nil:
			return nil, nil //nolint:nilerr // whoever was ahead has failed: this tab goes on by itself
		case !errors.As(err, &none):
			return nil, err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

func (t *Turn) find(ctx context.Context) (*Shared, error) {
	r, err := t.vault.Get(ctx, tabsKind, t.frontend, t.place, func(r *record.Record) bool {
		_, ok := ticket.Parse(r.Credential.Value("ticket").AppendReveal(nil))
		return ok
	})
	if err != nil {
		return nil, err
	}
	left, _ := ticket.Parse(r.Credential.Value("ticket").AppendReveal(nil))
	return &Shared{left, r.Subject}, nil
}

// Leave leaves a session for the tabs behind. One that was left before is theirs no
// more.
func (t *Turn) Leave(ctx context.Context, s Shared) error {
	values := map[string]credential.Secret{"ticket": credential.NewSecret(s.Ticket.Reveal())}
	return t.vault.PutAt(ctx, tabsKind, t.frontend, t.place, record.Record{Subject: s.Person,
		Credential: credential.New(values, time.Time{}, time.Time{})}, TabsLife)
}

// GiveUp says that this tab begins no session after all, so that those behind need not
// wait for one. It does nothing behind [Turn.Leave].
func (t *Turn) GiveUp(ctx context.Context) {
	if t.first {
		t.vault.Unclaim(ctx, tabsKind, t.place, t.owner)
	}
}
